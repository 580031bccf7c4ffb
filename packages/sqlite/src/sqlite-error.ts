import { HoldfastError } from "@holdfast/core";

const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** A fault of the database file or its disk, translated once from SQLite's result codes. */
export class SqliteError extends HoldfastError {
  override name = "SqliteError";
  readonly path: string;

  constructor(
    message: string,
    options: { code: string; path: string; retryable?: boolean; hint?: string; cause?: unknown },
  ) {
    super(message, options);
    this.path = options.path;
  }
}

/** Whether node:sqlite threw because another connection is in the way. */
export function isBusy(error: unknown): boolean {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  return typeof errcode === "number" && (errcode & 0xff) === SQLITE_BUSY;
}

/**
 * Translates what node:sqlite threw into a {@link SqliteError}; anything that is not a fault of
 * file or disk (a constraint, a programming error) comes back as it was.
 */
export function translateSqliteError(error: unknown, path: string): unknown {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof errcode !== "number") return error;
  const detail = error instanceof Error ? error.message : String(error);
  const fault = (code: string, what: string, hint: string, retryable = false): SqliteError =>
    new SqliteError(`${what}: ${path} (${detail})`, { code, path, hint, retryable, cause: error });
  switch (errcode & 0xff) {
    case SQLITE_BUSY:
      return fault(
        "SQLITE_BUSY",
        "Another process holds the database",
        "Wait for it, or find it with: fuser <file>",
        true,
      );
    case SQLITE_READONLY:
      return fault(
        "SQLITE_READONLY",
        "The database cannot be written",
        "Make the file and its folder writable; nothing was changed.",
      );
    case SQLITE_FULL:
      return fault("SQLITE_FULL", "The disk is full", "Free some space; nothing was changed.");
    case SQLITE_CANTOPEN:
      return fault(
        "SQLITE_CANTOPEN",
        "The database cannot be opened",
        "Check that the folder exists and is writable.",
      );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fault(
        "SQLITE_CORRUPT",
        "The database is damaged",
        "Keep a copy of the file before anything else writes to it.",
      );
    case SQLITE_IOERR:
      return fault(
        "SQLITE_IOERR",
        "The disk failed a read or a write",
        "Check the disk and its free space; nothing was changed.",
      );
    default:
      return error;
  }
}

/** The same for opening, which also touches the folder: its faults come as errno codes. */
export function translateOpenError(error: unknown, path: string): unknown {
  const errno = (error as NodeJS.ErrnoException | null)?.code;
  const codes: Record<string, string> = {
    EROFS: "SQLITE_READONLY",
    EACCES: "SQLITE_READONLY",
    EPERM: "SQLITE_READONLY",
    ENOSPC: "SQLITE_FULL",
    ENOTDIR: "SQLITE_CANTOPEN",
    EEXIST: "SQLITE_CANTOPEN",
    ELOOP: "SQLITE_CANTOPEN",
    ENAMETOOLONG: "SQLITE_CANTOPEN",
    EMFILE: "SQLITE_CANTOPEN",
    ENFILE: "SQLITE_CANTOPEN",
    EIO: "SQLITE_IOERR",
  };
  const code = errno === undefined ? undefined : codes[errno];
  if (code === undefined) return translateSqliteError(error, path);
  return new SqliteError(`The database cannot be opened: ${path} (${(error as Error).message})`, {
    code,
    path,
    hint: "It needs a folder that can be written, with some free space; nothing was changed.",
    cause: error,
  });
}
