import type { Random } from "./random.ts";

export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. */
  baseMs: number;
  /** Upper bound of every delay, in milliseconds. */
  maxMs: number;
}

/**
 * A delay in milliseconds before attempt `attempt + 1`: exponential with full jitter, uniform in
 * [0, min(maxMs, baseMs · 2^(attempt − 1))].
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitterMs(attempt: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.floor(random.next() * ceiling);
}
