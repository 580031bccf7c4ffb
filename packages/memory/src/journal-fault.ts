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

/** As {@link translating}, of a transaction that accepts something. */
export function accepting<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translateFault(error, "The outbox cannot be written, so nothing was accepted");
  }
}

export function translateFault(error: unknown, failure = "The outbox cannot be used"): unknown {
  if (!(error instanceof SqliteError)) return error;
  if (error.code === "SQLITE_TOO_NEW") return error;
  if (error.code === "SQLITE_CORRUPT") {
    markSuspect(error.path);
    return new MemoryError(`The outbox is damaged: ${error.message}`, {
      code: "OUTBOX_CORRUPT",
      retryable: error.retryable,
      hint: "Open it again: it is then set aside, and a new one made of all that can be read.",
      cause: error,
    });
  }
  return new MemoryError(`${failure}: ${error.message}`, {
    code: "OUTBOX_UNWRITABLE",
    retryable: error.retryable,
    hint: error.hint ?? "Check the disk.",
    cause: error,
  });
}
