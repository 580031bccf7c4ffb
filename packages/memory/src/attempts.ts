import { type CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";
import type { Database } from "@holdfast/sqlite";

/** An open breaker asks for the longest waits; whoever sets it to more is asked again sooner. */
export const WAIT_MS_MAX = 600_000;

export interface AttemptState {
  /** Failures since the last success. */
  failures: number;
  nextAttemptAt: number | null;
  /** The breaker's circuit that refused the last attempt, "" for the one of all; null when none did. */
  refusedBy: string | null;
  lastError: string | null;
  answeredAt: number | null;
}

/** How the last attempts to apply a collection's writes went, and when the next is due. */
export class Attempts {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  state(): AttemptState {
    const row = this.#db
      .prepare(
        `SELECT attempts AS failures, next_attempt_at AS nextAttemptAt, last_error AS lastError,
           refused_by AS refusedBy, answered_at AS answeredAt FROM collection WHERE collection = ?`,
      )
      .get(this.#collection) as unknown as AttemptState;
    return { ...row };
  }

  /** The store answered a call. */
  answered(now: number): void {
    this.#db
      .prepare("UPDATE collection SET answered_at = ? WHERE collection = ?")
      .run(now, this.#collection);
  }

  /** The store took a write; what it last refused is history. */
  applied(now: number): void {
    this.#db
      .prepare(
        `UPDATE collection SET answered_at = ?, attempts = 0, next_attempt_at = NULL,
           last_error = NULL, refused_by = NULL WHERE collection = ?`,
      )
      .run(now, this.#collection);
  }

  /** An attempt failed, or was refused; `nextAttemptAt` is when another may be made. */
  failed(reason: string, nextAttemptAt: number, error?: unknown): void {
    this.#db
      .prepare(
        `UPDATE collection SET attempts = attempts + 1, next_attempt_at = ?, last_error = ?,
           refused_by = ? WHERE collection = ?`,
      )
      .run(nextAttemptAt, reason, refuserOf(error) ?? null, this.#collection);
  }
}

/**
 * Milliseconds until an attempt is due. One that the breaker refused is due as soon as that is closed,
 * as by an order. A wait that no failure asks for means that the clock was set back: then it is due now.
 */
export function remainingMs(
  { nextAttemptAt, refusedBy }: AttemptState,
  breaker: CircuitBreaker,
  now: number,
): number {
  const wait = (nextAttemptAt ?? now) - now;
  if (wait <= 0 || wait > WAIT_MS_MAX) return 0;
  return refusedBy !== null && breaker.state(refusedBy) === "closed" ? 0 : wait;
}

/** The breaker's circuit that refused an attempt, "" for the one of all; undefined when none did. */
function refuserOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof CircuitOpenError ? (cause.operation ?? "") : undefined;
}
