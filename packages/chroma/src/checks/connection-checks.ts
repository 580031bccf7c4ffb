import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import { StoreError, type VectorStore } from "@holdfast/store";
import { reasonOf } from "../error-translation.ts";

export interface ConnectionTarget {
  host: string;
  port: number;
  ssl: boolean;
}

const TIMEOUT_MS = 5_000;
const NOBODY = "See whether Chroma runs there, and what stands between.";

/**
 * Walks towards the store one layer at a time, so that the first that fails says where it ends:
 * name, port, HTTP, and what the server says to a call with our credentials.
 * @param target asked at each look: a managed server moves with every start. It throws when there is
 *   nowhere to go.
 */
export function connectionChecks(
  target: () => Promise<ConnectionTarget>,
  store: VectorStore,
  timeoutMs: number = TIMEOUT_MS,
): HealthCheck[] {
  const check = (
    name: string,
    look: (to: ConnectionTarget, signal: AbortSignal) => Promise<CheckOutcome>,
  ): HealthCheck => ({
    name,
    service: "chroma",
    severity: "offline",
    timeoutMs,
    run: async ({ signal }) => look(await target(), signal),
  });
  return [
    check("dns", ({ host }) => nameOutcome(host)),
    check("tcp", tcpOutcome),
    check("heartbeat", heartbeatOutcome),
    check("access", async (_to, signal) => accessOutcome(store, signal, timeoutMs)),
  ];
}

async function nameOutcome(host: string): Promise<CheckOutcome> {
  try {
    const { address } = await lookup(host);
    return { status: "pass", message: `${host} is ${address}`, evidence: { host, address } };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      status: "fail",
      message: `the name ${host} is not known (${code})`,
      evidence: { host, code: code ?? "unknown" },
      hint: "Correct vector_store.config.host, or look after this machine's DNS.",
    };
  }
}

async function tcpOutcome(
  { host, port }: ConnectionTarget,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const where = `${host}:${port}`;
  const failure = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    signal.addEventListener("abort", () => end("no answer in time"), { once: true });
    socket.once("connect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
  if (failure === undefined) return { status: "pass", message: `${where} takes connections` };
  return {
    status: "fail",
    message: `${where} takes no connection (${failure})`,
    evidence: { host, port, why: failure },
    hint: NOBODY,
  };
}

/** It shows that the process lives, and nothing else. */
async function heartbeatOutcome(
  { host, port, ssl }: ConnectionTarget,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const base = `${ssl ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  let response: Response;
  try {
    response = await fetch(`${base}/api/v2/heartbeat`, { signal, redirect: "manual" });
  } catch (error) {
    signal.throwIfAborted();
    const why = reasonOf(error);
    const message = `HTTP has no answer (${why})`;
    return { status: "fail", message, evidence: { why }, hint: NOBODY };
  }
  await response.body?.cancel();
  const { status } = response;
  // Who asks for credentials even here is alive: the check of access says whether ours do.
  if (status === 200 || status === 401 || status === 403) {
    return { status: "pass", message: `HTTP answers ${status}` };
  }
  return {
    status: "fail",
    message: `the heartbeat answers ${status}`,
    evidence: { status },
    hint: "What answers there is no healthy Chroma: check host, port, and what stands between.",
  };
}

async function accessOutcome(
  store: VectorStore,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<CheckOutcome> {
  try {
    await store.ping({ signal, timeoutMs: Math.ceil(timeoutMs * 0.9) });
    return { status: "pass", message: "tenant and database let us in" };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return {
      status: "fail",
      message: error.message,
      evidence: { code: error.code },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
}
