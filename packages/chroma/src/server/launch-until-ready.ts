import type { Clock } from "@holdfast/core";
import { recordExit } from "./exit-history.ts";
import { isFree, launchServer, type LaunchOptions } from "./launch-server.ts";
import type { ServerError } from "./server-error.ts";
import type { ServerProgram } from "./server-program.ts";
import { removeServerRecord, type ServerRecord, writeServerRecord } from "./server-record.ts";
import type { StatePaths } from "./state-directory.ts";
import { stopSignalsOf, terminate } from "./terminate.ts";
import { untilReady } from "./until-ready.ts";
import { type ProcessWatch, watchProcess } from "./watch-process.ts";

const PORT_ATTEMPTS = 4;

export interface LaunchUntilReadyOptions extends LaunchOptions {
  startTimeoutMs: number;
  stopTimeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Starts a server and resolves when it answers a real round trip. On failure no process is left,
 * and its end is kept. Another process may take the chosen port first; the server then ends
 * without having answered, and another port is tried.
 * @throws ServerError `SERVER_START_FAILED`; errno errors; the signal's reason.
 */
export async function launchUntilReady(
  program: ServerProgram,
  paths: StatePaths,
  options: LaunchUntilReadyOptions,
  clock: Clock,
): Promise<{ record: ServerRecord; watch: ProcessWatch }> {
  const { dataDirectory } = paths;
  const signals = stopSignalsOf(program.build.version);
  for (let attempt = 1; ; attempt += 1) {
    const { child, record } = await launchServer(program, paths, options, clock);
    const watch = watchProcess(record, child, clock);
    try {
      writeServerRecord(dataDirectory, record);
      await untilReady(record, watch, paths.serverLog, {
        clock,
        limitMs: options.startTimeoutMs,
        signal: options.signal,
      });
      const ready = { ...record, ready: true };
      writeServerRecord(dataDirectory, ready);
      return { record: ready, watch };
    } catch (error) {
      watch.expectExit();
      const { code = null, signal = null, ranMs } = watch.exited ?? {};
      await terminate(record, signals, options.stopTimeoutMs, clock);
      removeServerRecord(dataDirectory);
      // Chroma says so, or panics where it was told its port by a file: then the port itself is asked.
      const says = (error as Partial<ServerError>).logTail?.some((line) =>
        /Address .* is not available/.test(line),
      );
      const portTaken = says === true || (watch.exited !== undefined && !(await isFree(record)));
      if (portTaken && attempt < PORT_ATTEMPTS) continue;
      if (ranMs !== undefined) {
        try {
          recordExit(dataDirectory, { code, signal, ranMs, ready: false }, clock);
        } catch {
          // On a full disk, say: an end that cannot be kept must not hide why it came.
        }
      }
      throw error;
    }
  }
}
