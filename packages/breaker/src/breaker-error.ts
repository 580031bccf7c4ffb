import { formatDuration, HoldfastError } from "@holdfast/core";
import type { StateName } from "./breaker-record.ts";

/** Why a call was refused: the state, an operator's order, or the ramp after a recovery. */
export type RefusalReason = "open" | "half-open" | "forced-open" | "ramp";

/** The breaker refused the call without running it. Code `BREAKER_OPEN`, retryable. */
export class CircuitOpenError extends HoldfastError {
  override name = "CircuitOpenError";
  /** When it is worth asking again, in milliseconds from now; a hint, never a promise. */
  readonly retryAfterMs: number;
  readonly state: StateName;
  readonly reason: RefusalReason;
  readonly breaker: string;
  readonly operation: string | undefined;

  constructor(details: {
    breaker: string;
    operation: string | undefined;
    state: StateName;
    reason: RefusalReason;
    retryAfterMs: number;
    why: string;
  }) {
    super(`The breaker "${details.breaker}" refuses (${details.reason}): ${details.why}`, {
      code: "BREAKER_OPEN",
      retryable: true,
      hint:
        details.reason === "forced-open"
          ? "Somebody forced it open; reset the breaker to let calls through."
          : `Try again in ${formatDuration(details.retryAfterMs)}.`,
    });
    this.retryAfterMs = details.retryAfterMs;
    this.state = details.state;
    this.reason = details.reason;
    this.breaker = details.breaker;
    this.operation = details.operation;
  }
}

/** The call took longer than its time limit; its outcome is unknown. Code `CALL_TIMEOUT`, retryable. */
export class CallTimeoutError extends HoldfastError {
  override name = "CallTimeoutError";
  readonly timeoutMs: number;

  constructor(breaker: string, timeoutMs: number) {
    super(`A call under "${breaker}" took longer than ${formatDuration(timeoutMs)}`, {
      code: "CALL_TIMEOUT",
      retryable: true,
      hint: "Its outcome is unknown: read back before repeating what is not idempotent.",
    });
    this.timeoutMs = timeoutMs;
  }
}

/** Every slot of the bulkhead is taken by unfinished work. Code `BULKHEAD_FULL`, retryable. */
export class BulkheadFullError extends HoldfastError {
  override name = "BulkheadFullError";
  readonly concurrencyMax: number;

  constructor(breaker: string, concurrencyMax: number, zombies: number) {
    super(
      `All ${concurrencyMax} slots of "${breaker}" are taken` +
        (zombies > 0 ? `, ${zombies} by calls that outlived their time limit` : ""),
      {
        code: "BULKHEAD_FULL",
        retryable: true,
        hint: "Send fewer calls at once, or raise bulkhead.concurrencyMax.",
      },
    );
    this.concurrencyMax = concurrencyMax;
  }
}

/** An option is out of range. Code `BREAKER_OPTION_INVALID`. */
export class BreakerOptionError extends HoldfastError {
  override name = "BreakerOptionError";

  constructor(option: string, expected: string, found: unknown) {
    super(`${option} must be ${expected}, not ${String(found)}`, {
      code: "BREAKER_OPTION_INVALID",
      hint: "See the options in the README of @holdfast/breaker.",
    });
  }
}

/** The shared state is unreadable or its store did not answer. Code `BREAKER_STORE_FAILED`. */
export class BreakerStoreError extends HoldfastError {
  override name = "BreakerStoreError";

  constructor(message: string, cause?: unknown) {
    super(message, {
      code: "BREAKER_STORE_FAILED",
      retryable: true,
      hint: "The breaker goes on with this process's own state; check the store.",
      cause,
    });
  }
}

/** The breaker was closed for good with `close()`. Code `BREAKER_DISPOSED`. */
export class BreakerDisposedError extends HoldfastError {
  override name = "BreakerDisposedError";

  constructor(breaker: string) {
    super(`The breaker "${breaker}" was closed`, { code: "BREAKER_DISPOSED" });
  }
}
