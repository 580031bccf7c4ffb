import { connect } from "node:net";
import type { CheckedConfig, EnvironmentFinding } from "./environment-check.ts";

const CONNECT_MS = 3_000;

/** A store elsewhere accepts a connection. */
export async function serverIsReachable({ config }: CheckedConfig): Promise<EnvironmentFinding[]> {
  const { mode, host, port, ssl } = config.vector_store.config;
  if (mode === "managed" || host === undefined) return [];
  const at = port ?? (ssl || mode === "cloud" ? 443 : 8000);
  const why = await refusalOf(host, at);
  if (why === undefined) return [];
  const message = `${host}:${at} cannot be reached (${why})`;
  const path = "vector_store.config.host";
  return [{ rule: "server-reachable", path, message, expected: "a running store" }];
}

function refusalOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`no answer within ${CONNECT_MS / 1_000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
