import { SqliteError } from "@holdfast/sqlite";
import { MemoryError } from "./memory-error.ts";
import { markSuspect } from "./salvage.ts";

/** A fault of the file becomes one of the outbox, once. */
export function translating<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translateFault(error);
  }
}

export function translateFault(error: unknown): unknown {
  if (!(error instanceof SqliteError)) return error;
  if (error.code === "SQLITE_TOO_NEW") return error;
  const corrupt = error.code === "SQLITE_CORRUPT";
  if (corrupt) markSuspect(error.path);
  return new MemoryError(
    corrupt
      ? `The outbox is damaged: ${error.message}`
      : `The outbox cannot be written, so nothing was accepted: ${error.message}`,
    {
      code: corrupt ? "OUTBOX_CORRUPT" : "OUTBOX_UNWRITABLE",
      retryable: error.retryable,
      hint: corrupt
        ? "Open it again: it is then set aside, and a new one made of all that can be read."
        : (error.hint ?? "Check the disk."),
      cause: error,
    },
  );
}
