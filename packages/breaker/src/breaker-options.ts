import { TIMER_MS_MAX } from "@holdfast/core";
import type { Outcome } from "./transition.ts";
import { BreakerOptionError } from "./breaker-error.ts";

/** What opens a closed breaker. */
export type TripRule =
  /** `failureThreshold` failures in a row, counted across the processes that share a store. */
  | { kind: "consecutive" }
  /** `failureRate` (0–1) or more of the last `calls` calls, once `minimumCalls` have run. */
  | { kind: "count"; calls: number; failureRate: number; minimumCalls?: number }
  /** `failureRate` (0–1) or more of the calls of the last `windowMs`, once `minimumCalls` have run. */
  | { kind: "time"; windowMs: number; failureRate: number; minimumCalls?: number };

/** Slow successes count against the service too. */
export interface SlowCallRule {
  /** A call is slow when it takes longer than this. */
  slowerThanMs: number;
  /** The part of calls (0–1) that may not be slow: reaching it opens the breaker. */
  rate: number;
  /** Default 60000. */
  windowMs?: number;
  /** Default 10. */
  minimumCalls?: number;
}

export interface BackoffRule {
  /** Each failed recovery multiplies the wait by this. Default 2. */
  multiplier?: number;
  /** Upper bound of the wait. Default 600000. */
  maxMs?: number;
  /** The part of the wait (0–1) that is random, from the second wait on. Default 0.5. */
  jitter?: number;
}

/** What can differ by operation. */
export interface CircuitOptions {
  /** Consecutive failures that open it. Default 5. */
  failureThreshold?: number;
  /** How long it stays open before a probe may run, in milliseconds. Default 60000. */
  recoveryTimeoutMs?: number;
  /** Successful probes that close it. Default 3. */
  successThreshold?: number;
  /** Time limit of one call in milliseconds; 0 is none. Default 30000. */
  timeoutMs?: number;
  /** Default `{ kind: "consecutive" }`. */
  trip?: TripRule;
  /** Default none. */
  slowCalls?: SlowCallRule;
  /** Probes that may run at once while half-open. Default 1. */
  halfOpenProbesMax?: number;
  /** Lengthens the wait while probes keep failing. Default: the wait stays `recoveryTimeoutMs`. */
  backoff?: BackoffRule;
  /** Bounds unfinished calls, timed-out ones that still run included. Default none. */
  bulkhead?: { concurrencyMax: number };
  /** After a recovery lets 10, 25, then 50 % of calls through over this time. Default 0: all at once. */
  rampMs?: number;
  /**
   * What an error says about the service. "ignored" is the caller's fault and counts neither way.
   * Default: every error is a "failure". Never asked about a caller's own abort: that is ignored.
   */
  classify?: (error: unknown) => Outcome;
}

export interface BreakerOptions extends CircuitOptions {
  /** Names it in errors, events and the store. */
  name: string;
  /** False: it decides and counts nothing; time limits, signals and the bulkhead still hold. Default true. */
  enabled?: boolean;
  /** Answers instead of a refused or failed call; not asked about ignored errors or a caller's abort. */
  fallback?: (error: unknown, context: { operation: string | undefined }) => unknown;
  /** Operations with a breaker of their own; each takes what it does not state from the parent. */
  operations?: Readonly<Record<string, CircuitOptions>>;
  /** How often a shared store is read again, at most, in milliseconds. Default 500. */
  pollMs?: number;
  /** How long an asynchronous store may keep a call waiting, in milliseconds. Default 250. */
  storeTimeoutMs?: number;
}

/** The defaults, stated once. */
export const BREAKER_DEFAULTS = {
  enabled: true,
  failureThreshold: 5,
  recoveryTimeoutMs: 60_000,
  successThreshold: 3,
  timeoutMs: 30_000,
  halfOpenProbesMax: 1,
  rampMs: 0,
  pollMs: 500,
  storeTimeoutMs: 250,
} as const;

/** Of a {@link SlowCallRule}. */
export const SLOW_CALL_DEFAULTS = { windowMs: 60_000, minimumCalls: 10 } as const;

/** Of a {@link BackoffRule}. */
export const BACKOFF_DEFAULTS = { multiplier: 2, maxMs: 600_000, jitter: 0.5 } as const;

/** Options of one circuit, complete. */
export interface ResolvedCircuitOptions {
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  readonly successThreshold: number;
  readonly timeoutMs: number;
  readonly trip: Required<TripRule>;
  readonly slowCalls: Required<SlowCallRule> | undefined;
  readonly halfOpenProbesMax: number;
  readonly backoff: Required<BackoffRule> | undefined;
  readonly concurrencyMax: number;
  readonly rampMs: number;
  readonly classify: (error: unknown) => Outcome;
}

/** Fills in defaults and checks ranges. @throws BreakerOptionError naming the option. */
export function resolveCircuitOptions(
  options: CircuitOptions,
  path: string,
): ResolvedCircuitOptions {
  const defaults = BREAKER_DEFAULTS;
  const resolved = {
    failureThreshold: options.failureThreshold ?? defaults.failureThreshold,
    recoveryTimeoutMs: options.recoveryTimeoutMs ?? defaults.recoveryTimeoutMs,
    successThreshold: options.successThreshold ?? defaults.successThreshold,
    timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
    trip: resolveTrip(options.trip ?? { kind: "consecutive" }, path),
    slowCalls: options.slowCalls && resolveSlowCalls(options.slowCalls, path),
    halfOpenProbesMax: options.halfOpenProbesMax ?? defaults.halfOpenProbesMax,
    backoff: options.backoff && resolveBackoff(options.backoff, path),
    concurrencyMax: options.bulkhead?.concurrencyMax ?? Number.POSITIVE_INFINITY,
    rampMs: options.rampMs ?? defaults.rampMs,
    classify: options.classify ?? (() => "failure" as const),
  };
  whole(resolved.failureThreshold, 1, `${path}failureThreshold`);
  whole(resolved.successThreshold, 1, `${path}successThreshold`);
  whole(resolved.halfOpenProbesMax, 1, `${path}halfOpenProbesMax`);
  if (options.bulkhead) whole(resolved.concurrencyMax, 1, `${path}bulkhead.concurrencyMax`);
  within(resolved.recoveryTimeoutMs, 0, Number.MAX_SAFE_INTEGER, `${path}recoveryTimeoutMs`);
  within(resolved.rampMs, 0, Number.MAX_SAFE_INTEGER, `${path}rampMs`);
  checkTimeout(resolved.timeoutMs, `${path}timeoutMs`);
  return resolved;
}

/** @throws BreakerOptionError for a time limit that a timer cannot keep. */
export function checkTimeout(timeoutMs: number, option: string): void {
  within(timeoutMs, 0, TIMER_MS_MAX, option);
}

function resolveTrip(trip: TripRule, path: string): Required<TripRule> {
  if (trip.kind === "consecutive") return trip;
  const capacity = trip.kind === "count" ? trip.calls : Number.MAX_SAFE_INTEGER;
  if (trip.kind === "count") whole(trip.calls, 1, `${path}trip.calls`);
  else within(trip.windowMs, 1, Number.MAX_SAFE_INTEGER, `${path}trip.windowMs`);
  rate(trip.failureRate, `${path}trip.failureRate`);
  const minimumCalls = trip.minimumCalls ?? Math.min(10, capacity);
  whole(minimumCalls, 1, `${path}trip.minimumCalls`);
  within(minimumCalls, 1, capacity, `${path}trip.minimumCalls`);
  return { ...trip, minimumCalls };
}

function resolveSlowCalls(rule: SlowCallRule, path: string): Required<SlowCallRule> {
  const resolved = { ...SLOW_CALL_DEFAULTS, ...rule };
  within(resolved.slowerThanMs, 0, Number.MAX_SAFE_INTEGER, `${path}slowCalls.slowerThanMs`);
  within(resolved.windowMs, 1, Number.MAX_SAFE_INTEGER, `${path}slowCalls.windowMs`);
  whole(resolved.minimumCalls, 1, `${path}slowCalls.minimumCalls`);
  rate(resolved.rate, `${path}slowCalls.rate`);
  return resolved;
}

function resolveBackoff(rule: BackoffRule, path: string): Required<BackoffRule> {
  const resolved = { ...BACKOFF_DEFAULTS, ...rule };
  within(resolved.multiplier, 1, 1_000, `${path}backoff.multiplier`);
  within(resolved.maxMs, 0, Number.MAX_SAFE_INTEGER, `${path}backoff.maxMs`);
  within(resolved.jitter, 0, 1, `${path}backoff.jitter`);
  return resolved;
}

function rate(value: number, option: string): void {
  if (!(value > 0 && value <= 1)) throw new BreakerOptionError(option, "in (0, 1]", value);
}

function whole(value: number, min: number, option: string): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new BreakerOptionError(option, `a whole number of at least ${min}`, value);
}

function within(value: number, min: number, max: number, option: string): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new BreakerOptionError(option, `a number from ${min} to ${max}`, value);
}
