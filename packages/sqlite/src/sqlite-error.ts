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
