import { HoldfastError } from "@holdfast/core";

/**
 * - `SERVER_UNSUPPORTED`: no Chroma build runs on this machine
 * - `SERVER_INSTALL_FAILED`: the build that would run here could not be fetched
 * - `SERVER_LOCKED`: another process manages this data directory now
 * - `SERVER_FOREIGN`: a process that is not ours has the data directory open
 * - `SERVER_DOWNGRADE`: a newer build has opened the data directory; an older one would abort
 * - `SERVER_START_FAILED`: the server exited, never answered a real round trip, or could not be
 *   started, as on a full disk
 * - `SERVER_NOT_RUNNING`: no server is recorded for the data directory
 * - `SERVER_STATE_INVALID`: a file in the state directory cannot be read as what it should be
 */
export type ServerErrorCode =
  | "SERVER_UNSUPPORTED"
  | "SERVER_INSTALL_FAILED"
  | "SERVER_LOCKED"
  | "SERVER_FOREIGN"
  | "SERVER_DOWNGRADE"
  | "SERVER_START_FAILED"
  | "SERVER_NOT_RUNNING"
  | "SERVER_STATE_INVALID";

/** A fault of the managed server or of the directory it serves. */
export class ServerError extends HoldfastError {
  override name = "ServerError";
  declare readonly code: ServerErrorCode;
  /** The process it speaks of; undefined when it is about none. */
  readonly pid: number | undefined;
  /** The last lines of the server's log, when they explain the failure. */
  readonly logTail: readonly string[];

  constructor(
    message: string,
    options: {
      code: ServerErrorCode;
      retryable?: boolean;
      hint?: string;
      cause?: unknown;
      pid?: number;
      logTail?: readonly string[];
    },
  ) {
    super(message, options);
    this.pid = options.pid;
    this.logTail = options.logTail ?? [];
  }
}

/** What the system refused, a full disk say, as an error of the start; any other as it is. */
export function cannotStart(error: unknown, dataDirectory: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return new ServerError(`Chroma cannot be started on ${dataDirectory}: ${message}`, {
    code: "SERVER_START_FAILED",
    hint: "Make room, give this user the right, or move what is in the way; then: holdfast server start",
    cause: error,
  });
}
