import { readServerRecord, type ServerBuild } from "@holdfast/chroma/state";
import { isRunning, startTimeOf } from "@holdfast/sqlite";

/** The managed server as its record and the process table show it; it is not asked. */
export type ServerState =
  | { running: false; recorded: boolean }
  | {
      running: true;
      pid: number;
      host: string;
      port: number;
      build: ServerBuild;
      startedAt: number;
      ready: boolean;
    };

export function serverState(dataDirectory: string): ServerState {
  const record = readServerRecord(dataDirectory);
  if (record === undefined) return { running: false, recorded: false };
  const { pid, processStart, host, port, build, startedAt, ready } = record;
  // Where the kernel does not say when a process started, its number must do.
  const same = isRunning(pid) && (startTimeOf(pid) ?? processStart) === processStart;
  if (!same) return { running: false, recorded: true };
  return { running: true, pid, host, port, build, startedAt, ready };
}
