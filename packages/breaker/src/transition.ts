import { formatDuration } from "@holdfast/core";
import type { RefusalReason } from "./breaker-error.ts";
import type { ResolvedCircuitOptions } from "./breaker-options.ts";
import {
  type BreakerRecord,
  type ClosedRecord,
  type ErrorEvidence,
  type ForcedMode,
  type HalfOpenRecord,
  type OpenRecord,
  type ProbeLease,
  withError,
} from "./breaker-record.ts";

// The whole state machine as pure functions of a record and a time, so that the same code decides
// in memory and inside a store's transaction. A step that changes nothing returns its record.

/** What a finished call says about the service. */
export type Outcome = "success" | "failure" | "ignored";

/** The right to run one call; presented again with its outcome. */
export type Ticket =
  | { kind: "call"; generation: number }
  | { kind: "probe"; generation: number; token: string }
  /** Forced closed or disabled: the outcome decides nothing. */
  | { kind: "ungated" };

export type Admission =
  | { admitted: true; ticket: Ticket }
  | { admitted: false; reason: RefusalReason; retryAfterMs: number };

export interface Step<T> {
  record: BreakerRecord;
  result: T;
}

/** A wall clock this far behind a stored time has been set back; smaller gaps are noise. */
export const CLOCK_SKEW_MS = 1_000;

/** When to ask again while probes run: they mostly end long before their leases do. */
export const PROBE_HINT_MS = 1_000;

/** Decides whether a call may run now; turns a due open record half-open and leases probes. */
export function admit(
  record: BreakerRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  request: { token: string; leaseMs: number },
): Step<Admission> {
  if (record.forced !== null) {
    return record.forced.mode === "open"
      ? refuse(record, "forced-open", rules.recoveryTimeoutMs)
      : { record, result: { admitted: true, ticket: { kind: "ungated" } } };
  }
  if (record.state === "closed") {
    const ticket: Ticket = { kind: "call", generation: record.generation };
    return { record, result: { admitted: true, ticket } };
  }
  if (record.state === "half-open") return leaseProbe(record, now, rules, request);
  const waitMs = remainingMs(record, now);
  if (waitMs > 0) return refuse(record, "open", waitMs);
  const waited = formatDuration(Math.max(0, now - record.since));
  const due = halfOpen(record, now, `open for ${waited}, so a probe may run`);
  return leaseProbe(due, now, rules, request);
}

/** Milliseconds until an open record lets a probe run; 0 when the clock was set back behind it. */
export function remainingMs(record: OpenRecord, now: number): number {
  if (record.since - now > CLOCK_SKEW_MS) return 0;
  return Math.min(Math.max(0, record.retryAt - now), Math.max(0, record.retryAt - record.since));
}

/** Whether a lease still stands; one from the future has outlived a clock set back. */
export function isLeaseLive(lease: ProbeLease, now: number): boolean {
  return now < lease.expiresAt && lease.acquiredAt - now <= CLOCK_SKEW_MS;
}

/** Successful probes that still have to come; one at least, whatever threshold others had. */
export function successesLeft(record: HalfOpenRecord, rules: ResolvedCircuitOptions): number {
  return Math.max(1, rules.successThreshold - record.successes);
}

/** Probes that may run at once: never more than could still be needed. */
export function probesMax(record: HalfOpenRecord, rules: ResolvedCircuitOptions): number {
  return Math.min(rules.halfOpenProbesMax, successesLeft(record, rules));
}

/** Counts one outcome. `result` is false when it came too late to decide anything. */
export function settle(
  record: BreakerRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  report: { ticket: Ticket; outcome: Outcome; error?: ErrorEvidence; jitter: number },
): Step<boolean> {
  const { ticket, outcome } = report;
  if (ticket.kind === "ungated" || ticket.generation !== record.generation) {
    return { record, result: false };
  }
  if (record.state === "closed" && ticket.kind === "call") {
    return { record: settleCall(record, now, rules, report), result: true };
  }
  if (record.state === "half-open" && ticket.kind === "probe") {
    const mine = record.leases.find(({ token }) => token === ticket.token);
    // An expired lease may have passed on: its outcome is unknown, never a success.
    if (mine === undefined || !isLeaseLive(mine, now)) return { record, result: false };
    const leases = record.leases.filter((held) => held !== mine);
    return {
      record: settleProbe({ ...record, leases }, now, rules, { ...report, outcome }),
      result: true,
    };
  }
  return { record, result: false };
}

/** Opens a closed record of the ticket's generation, on evidence that the caller has counted. */
export function trip(
  record: BreakerRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  evidence: { generation: number; why: string; errors: readonly ErrorEvidence[] },
): Step<boolean> {
  if (record.state !== "closed" || record.generation !== evidence.generation || record.forced) {
    return { record, result: false };
  }
  const opened = open({ ...record, errors: evidence.errors }, now, rules, {
    attempt: 1,
    why: evidence.why,
    jitter: 0,
  });
  return { record: opened, result: true };
}

/** An open record turns half-open before its time. `result` is whether it did. */
export function probeNow(record: BreakerRecord, now: number, evidence: string): Step<boolean> {
  if (record.state !== "open" || record.forced !== null) return { record, result: false };
  return { record: halfOpen(record, now, evidence), result: true };
}

/** Puts a record under an operator's order. */
export function force(record: BreakerRecord, now: number, order: ForcedMode): Step<void> {
  const base = { ...next(record, now, `forced ${order.mode}: ${order.reason}`), forced: order };
  const forced: BreakerRecord =
    order.mode === "open"
      ? { ...base, state: "open", attempt: 1, retryAt: now }
      : { ...base, state: "closed", failures: 0, recovered: false };
  return { record: forced, result: undefined };
}

/** Closes a record and lifts every order. */
export function reset(record: BreakerRecord, now: number, reason: string): Step<void> {
  return {
    record: {
      ...next(record, now, `reset: ${reason}`),
      errors: [],
      forced: null,
      state: "closed",
      failures: 0,
      recovered: false,
    },
    result: undefined,
  };
}

/** How long attempt `attempt` (from 1) stays open; the first wait is exact. `jitter` is in [0, 1). */
function openForMs(
  attempt: number,
  rules: Pick<ResolvedCircuitOptions, "recoveryTimeoutMs" | "backoff">,
  jitter: number,
): number {
  const { recoveryTimeoutMs, backoff } = rules;
  if (backoff === undefined || attempt <= 1) return recoveryTimeoutMs;
  const ceiling = Math.min(
    Math.max(backoff.maxMs, recoveryTimeoutMs),
    recoveryTimeoutMs * backoff.multiplier ** (attempt - 1),
  );
  return Math.round(ceiling * (1 - backoff.jitter * jitter));
}

function settleCall(
  record: ClosedRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  report: { outcome: Outcome; error?: ErrorEvidence; jitter: number },
): BreakerRecord {
  if (report.outcome === "ignored") return record;
  if (report.outcome === "success") {
    return record.failures === 0 ? record : { ...touch(record), failures: 0 };
  }
  const failures = record.failures + 1;
  const errors = report.error ? withError(record.errors, report.error) : record.errors;
  const counted = { ...touch(record), failures, errors };
  if (rules.trip.kind !== "consecutive" || failures < rules.failureThreshold) return counted;
  const why = `${failures} failures in a row (threshold ${rules.failureThreshold})`;
  return open(counted, now, rules, { attempt: 1, why: because(why, report.error), jitter: 0 });
}

function settleProbe(
  record: HalfOpenRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  report: { outcome: Outcome; error?: ErrorEvidence; jitter: number },
): BreakerRecord {
  if (report.outcome === "ignored") return touch(record);
  if (report.outcome === "failure") {
    const errors = report.error ? withError(record.errors, report.error) : record.errors;
    return open({ ...record, errors }, now, rules, {
      attempt: record.attempt + 1,
      why: because("a probe failed", report.error),
      jitter: report.jitter,
    });
  }
  const successes = record.successes + 1;
  if (successes < rules.successThreshold) return { ...touch(record), successes };
  const why = `${successes} probes succeeded (threshold ${rules.successThreshold})`;
  return { ...next(record, now, why), state: "closed", failures: 0, recovered: true };
}

function leaseProbe(
  record: HalfOpenRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  request: { token: string; leaseMs: number },
): Step<Admission> {
  const live = record.leases.filter((held) => isLeaseLive(held, now));
  const unknown = record.unknown + record.leases.length - live.length;
  if (live.length >= probesMax(record, rules)) {
    const freeAt = Math.min(...live.map(({ expiresAt }) => expiresAt));
    const waitMs = Math.max(1, Math.min(PROBE_HINT_MS, freeAt - now));
    const purged =
      live.length === record.leases.length ? record : { ...touch(record), leases: live, unknown };
    return refuse(purged, "half-open", waitMs);
  }
  const granted = { token: request.token, acquiredAt: now, expiresAt: now + request.leaseMs };
  return {
    record: { ...touch(record), leases: [...live, granted], unknown },
    result: {
      admitted: true,
      ticket: { kind: "probe", generation: record.generation, token: request.token },
    },
  };
}

function open(
  record: ClosedRecord | HalfOpenRecord,
  now: number,
  rules: ResolvedCircuitOptions,
  cause: { attempt: number; why: string; jitter: number },
): OpenRecord {
  return {
    ...next(record, now, cause.why),
    state: "open",
    attempt: cause.attempt,
    retryAt: now + openForMs(cause.attempt, rules, cause.jitter),
  };
}

function halfOpen(record: OpenRecord, now: number, why: string): HalfOpenRecord {
  return {
    ...next(record, now, why),
    state: "half-open",
    attempt: record.attempt,
    successes: 0,
    leases: [],
    unknown: 0,
  };
}

/** The fields that every state has, one generation on. */
function next(
  record: BreakerRecord,
  now: number,
  why: string,
): Pick<BreakerRecord, "version" | "generation" | "since" | "why" | "errors" | "forced"> {
  return {
    version: record.version + 1,
    generation: record.generation + 1,
    since: now,
    why,
    errors: record.errors,
    forced: record.forced,
  };
}

function touch<R extends BreakerRecord>(record: R): R {
  return { ...record, version: record.version + 1 };
}

function refuse(
  record: BreakerRecord,
  reason: RefusalReason,
  retryAfterMs: number,
): Step<Admission> {
  return { record, result: { admitted: false, reason, retryAfterMs } };
}

function because(what: string, error: ErrorEvidence | undefined): string {
  if (error === undefined) return what;
  return `${what}; the last: ${error.code === null ? error.name : error.code} ${error.message}`;
}
