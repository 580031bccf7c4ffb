import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

/**
 * - `MEMORY_INVALID`: the text, id, metadata, scope or tag cannot be stored exactly
 * - `MEMORY_NOT_FOUND`
 * - `OUTBOX_FULL`: the bound on queued writes is reached; nothing was accepted
 * - `OUTBOX_UNWRITABLE`: the disk or file refused; of a write, nothing was accepted
 * - `OUTBOX_CORRUPT`: the outbox is damaged
 * - `EMBEDDER_MISMATCH`: the memories' vectors were made by another model
 * - `FORGET_UNSCOPED`: a filter that names nothing would forget everything
 * - `REBUILD_REFUSED`: rebuilding would lose records that only the old collection holds
 * - `TRIGGER_UNSUPPORTED`: what was to be wrapped has calls without one end
 */
export type MemoryErrorCode =
  | "MEMORY_INVALID"
  | "MEMORY_NOT_FOUND"
  | "OUTBOX_FULL"
  | "OUTBOX_UNWRITABLE"
  | "OUTBOX_CORRUPT"
  | "EMBEDDER_MISMATCH"
  | "FORGET_UNSCOPED"
  | "REBUILD_REFUSED"
  | "TRIGGER_UNSUPPORTED";

export class MemoryError extends HoldfastError {
  override name = "MemoryError";
  declare readonly code: MemoryErrorCode;

  /** Narrows the code to {@link MemoryErrorCode}. */
  // oxlint-disable-next-line no-useless-constructor -- its parameter's type is the use
  constructor(message: string, options: HoldfastErrorOptions & { code: MemoryErrorCode }) {
    super(message, options);
  }
}

/** The breaker refuses calls to the store for now. Writes are still accepted, and recall degrades. */
export class MemoryServiceUnavailableError extends HoldfastError {
  override name = "MemoryServiceUnavailableError";
  /** Milliseconds until a call may be tried. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { retryAfterMs: number; cause: unknown }) {
    super(message, {
      code: "MEMORY_UNAVAILABLE",
      retryable: true,
      hint: "See why with: holdfast memory status",
      cause: options.cause,
    });
    this.retryAfterMs = options.retryAfterMs;
  }
}
