import type { Clock } from "@holdfast/core";
import { listensOn } from "./process-table.ts";
import { roundTrip } from "./round-trip.ts";
import { ServerError } from "./server-error.ts";
import { tailServerLog } from "./server-log.ts";
import type { ServerRecord } from "./server-record.ts";
import { isAlive } from "./terminate.ts";
import type { ProcessWatch } from "./watch-process.ts";

/** How much of the log an error or an event carries. */
export const LOG_TAIL_LINES: number = 20;

const ROUND_TRIP_LIMIT_MS = 5_000;
const POLL_MS = 50;

/**
 * Resolves when the server answers a real round trip on a port that it listens on itself.
 * @throws ServerError `SERVER_START_FAILED` when it ends first, with whatever code, or does not
 * answer in time; the signal's reason.
 */
export async function untilReady(
  record: ServerRecord,
  watch: ProcessWatch,
  logFile: string,
  limits: { clock: Clock; limitMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const { clock, limitMs, signal } = limits;
  const deadline = clock.monotonic() + limitMs;
  const failed = (why: string, cause?: unknown): ServerError =>
    new ServerError(`Chroma ${record.build.version} did not start: ${why}`, {
      code: "SERVER_START_FAILED",
      pid: record.pid,
      hint: "See its log with: holdfast server logs",
      logTail: tailServerLog(logFile, LOG_TAIL_LINES),
      cause,
    });
  for (let last: unknown; ; await clock.sleep(POLL_MS, signal)) {
    signal?.throwIfAborted();
    const exit = watch.exited;
    if (exit !== undefined) {
      throw failed(exit.signal === null ? `exit code ${exit.code}` : `ended by ${exit.signal}`);
    }
    if (clock.monotonic() >= deadline) throw failed(`no answer in ${limitMs} ms`, last);
    try {
      const limit = AbortSignal.timeout(Math.min(ROUND_TRIP_LIMIT_MS, limitMs));
      await roundTrip(record, signal === undefined ? limit : AbortSignal.any([signal, limit]));
      if (listensOn(record.pid, record.port) ?? isAlive(record)) return;
      last = new Error(`another process answers on port ${record.port}`);
    } catch (error) {
      last = error;
    }
  }
}
