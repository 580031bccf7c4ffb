import type { Clock } from "@holdfast/core";
import { processStartOf } from "./process-table.ts";
import { compareVersions } from "./build-history.ts";

const POLL_MS = 20;
const KILL_WAIT_MS = 10_000;

/** One process, whatever later gets its number. */
export interface ProcessIdentity {
  pid: number;
  processStart: string;
}

/**
 * The signals that end a build in order, surest first: 1.0 exits on SIGTERM and hangs on SIGINT,
 * later builds the other way round.
 */
export function stopSignalsOf(version: string): readonly NodeJS.Signals[] {
  return compareVersions(version, "1.1.0") < 0 ? ["SIGTERM", "SIGINT"] : ["SIGINT", "SIGTERM"];
}

export function isAlive(identity: ProcessIdentity): boolean {
  return processStartOf(identity.pid) === identity.processStart;
}

/**
 * Ends a process: each signal in turn with `waitMs` to obey it, then SIGKILL. Resolves with what
 * ended it, or undefined when it was already gone. Never signals another process that has got the
 * same number meanwhile.
 */
export async function terminate(
  identity: ProcessIdentity,
  signals: readonly NodeJS.Signals[],
  waitMs: number,
  clock: Clock,
): Promise<NodeJS.Signals | undefined> {
  for (const signal of [...signals, "SIGKILL" as const]) {
    if (!sendSignal(identity, signal)) return undefined;
    const limit = signal === "SIGKILL" ? KILL_WAIT_MS : waitMs;
    if (await waitUntilGone(identity, limit, clock)) return signal;
  }
  throw new Error(`Process ${identity.pid} survived SIGKILL for ${KILL_WAIT_MS} ms`);
}

/** False when the process is gone. */
function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    // A stopped process obeys once it goes on; for any other this does nothing.
    if (process.platform !== "win32") process.kill(identity.pid, "SIGCONT");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

async function waitUntilGone(
  identity: ProcessIdentity,
  limitMs: number,
  clock: Clock,
): Promise<boolean> {
  const deadline = clock.monotonic() + limitMs;
  while (isAlive(identity)) {
    if (clock.monotonic() >= deadline) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}
