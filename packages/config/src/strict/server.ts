import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, sep } from "node:path";
import { connect } from "node:net";
import type { CheckedConfig, EnvironmentFinding } from "./environment-check.ts";

const CONNECT_MS = 3_000;
const STORE = "vector_store.config";

/** A store elsewhere accepts a connection. */
export async function serverIsReachable({ config }: CheckedConfig): Promise<EnvironmentFinding[]> {
  const { mode, host, port, ssl } = config.vector_store.config;
  if (mode === "managed" || host === undefined) return [];
  const at = port ?? (ssl || mode === "cloud" ? 443 : 8000);
  const why = await refusalOf(host, at);
  if (why === undefined) return [];
  const message = `${host}:${at} cannot be reached (${why})`;
  return [
    { rule: "server-reachable", path: `${STORE}.host`, message, expected: "a running store" },
  ];
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

/** A command of one's own that starts the server can be run. */
export function commandIsThere({ config, environment }: CheckedConfig): EnvironmentFinding[] {
  const [program] = config.vector_store.config.command ?? [];
  if (program === undefined || found(program, environment["PATH"] ?? "")) return [];
  const path = `${STORE}.command`;
  const message = `there is no program ${program}`;
  return [{ rule: "command-available", path, message, expected: "a program in PATH, or its path" }];
}

function found(program: string, searched: string): boolean {
  if (isAbsolute(program) || program.includes(sep)) return isProgram(program);
  return searched.split(delimiter).some((folder) => isProgram(join(folder, program)));
}

function isProgram(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
