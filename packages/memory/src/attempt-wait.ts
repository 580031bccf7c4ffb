import { type CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";
import type { AttemptState } from "./journal.ts";

/** An open breaker asks for the longest waits; whoever sets it to more is asked again sooner. */
export const WAIT_MS_MAX = 600_000;

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
export function circuitOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof CircuitOpenError ? (cause.operation ?? "") : undefined;
}
