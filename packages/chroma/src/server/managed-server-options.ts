import type { Clock } from "@holdfast/core";
import type { FindServerOptions } from "./find-server.ts";
import type { ServerBuild, ServerEndpoint } from "./server-record.ts";
import type { StatePaths } from "./state-directory.ts";

export interface ManagedServerOptions {
  /** Chroma's persist directory; created (0700) when missing. */
  dataDirectory: string;
  /** A command that runs Chroma's CLI. Default: what `findServer` finds. */
  command?: readonly string[];
  /** Whether clients may wipe the database. Default false. */
  allowReset?: boolean;
  /** Time limit of a start, from the process to the first real round trip. Default 60000. */
  startTimeoutMs?: number;
  /** How long each stop signal may take before the next, harder one. Default 3000. */
  stopTimeoutMs?: number;
  /** How long to wait for another process to let go of the directory. Default 2000. */
  lockWaitMs?: number;
  /** How long the server outlives a keeper that died without a successor. Default 900000. */
  orphanMs?: number;
  /**
   * Whether Chroma keeps its whole queue, from which every index can be built anew, for about 80 %
   * more disk. Default: what the directory says, which is to purge it.
   */
  keepReplayable?: boolean;
  /** Where and whether a build may be fetched; see `findServer`. */
  find?: Omit<FindServerOptions, "command">;
}

export const MANAGED_SERVER_DEFAULTS = { allowReset: false, orphanMs: 900_000 } as const;

/** The part of a pino logger that is used. */
export interface ServerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ManagedServerDeps {
  clock?: Clock;
  logger?: ServerLogger;
  /**
   * Called when nobody serves the directory and a server is about to be started on it: the moment
   * to look for damage, and to move the directory aside. What it throws ends the start.
   */
  beforeLaunch?: (paths: StatePaths) => Promise<void>;
}

export interface RunningServer extends ServerEndpoint {
  pid: number;
  build: ServerBuild;
  /** Wall-clock milliseconds. */
  startedAt: number;
  /** True when another process had started it and we took it over. */
  adopted: boolean;
}
