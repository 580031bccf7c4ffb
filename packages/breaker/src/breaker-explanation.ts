import { formatDuration } from "@holdfast/core";
import {
  type ErrorEvidence,
  errorEvidence,
  type ForcedMode,
  type StateName,
} from "./breaker-record.ts";
import type { WindowCounts } from "./call-health.ts";
import type { Circuit } from "./circuit.ts";
import type { CallCounts } from "./circuit-setup.ts";
import { isLeaseLive, PROBE_HINT_MS, probesMax, remainingMs, successesLeft } from "./transition.ts";

/** Why a breaker is as it is, and what would change that: plain JSON. Times are wall-clock ms. */
export interface BreakerExplanation {
  name: string;
  /** The operation with a breaker of its own, or null for the parent. */
  operation: string | null;
  state: StateName;
  /** Since when it is in this state; null when it never left the first one. */
  since: number | null;
  why: string;
  /** What would change it. */
  next: string;
  /** Milliseconds until a call is worth trying; null when calls run now. */
  retryAfterMs: number | null;
  /** When the next probe may run, at the latest; null when none is needed or an order forbids it. */
  nextProbeAt: number | null;
  /** Counts the changes of state; outcomes of an earlier one decide nothing. */
  generation: number;
  enabled: boolean;
  /** An operator's order in force. */
  forced: ForcedMode | null;
  evidence: {
    /** Consecutive failures of a closed breaker. */
    failures: number;
    failureThreshold: number;
    /** Successful probes of a half-open one. */
    successes: number;
    successThreshold: number;
    probesRunning: number;
    /** Probes whose lease expired without an outcome. */
    probesUnknown: number;
    /** Times opened without closing in between. */
    attempt: number;
    /** Windows of this process, when the options watch any. */
    windows: WindowCounts[];
    lastErrors: ErrorEvidence[];
  };
  /** This process's calls. */
  calls: CallCounts;
  /** Calls of this process whose work has not ended. */
  running: number;
  /** Those of them that have outlived their caller. */
  zombies: number;
  store: { kind: "none" | "shared"; available: boolean; error: ErrorEvidence | null };
  /** Operations with a breaker of their own; empty for one of those. */
  operations: Record<string, BreakerExplanation>;
}

/** Explains one circuit from what this process knows; does not wait for an asynchronous store. */
export function explainCircuit(circuit: Circuit): BreakerExplanation {
  const { breaker, operation, rules, clock, enabled, store } = circuit.setup;
  const { record, storeError } = circuit.shared;
  const now = clock.now();
  const live =
    record.state === "half-open" ? record.leases.filter((lease) => isLeaseLive(lease, now)) : [];
  return {
    name: breaker,
    operation: operation ?? null,
    state: enabled ? record.state : "closed",
    since: record.generation === 0 ? null : record.since,
    why: enabled ? record.why : "switched off by the option enabled: false",
    next: nextChange(circuit, now, live.length),
    ...timing(
      circuit,
      now,
      live.map(({ expiresAt }) => expiresAt),
    ),
    generation: record.generation,
    enabled,
    forced: record.forced,
    evidence: {
      failures: record.state === "closed" ? record.failures : 0,
      failureThreshold: rules.failureThreshold,
      successes: record.state === "half-open" ? record.successes : 0,
      successThreshold: rules.successThreshold,
      probesRunning: live.length,
      probesUnknown:
        record.state === "half-open" ? record.unknown + record.leases.length - live.length : 0,
      attempt: record.state === "closed" ? 0 : record.attempt,
      windows: circuit.health?.counts(clock.monotonic()) ?? [],
      lastErrors: [...record.errors],
    },
    calls: { ...circuit.counts },
    running: circuit.running,
    zombies: circuit.zombies,
    store: {
      kind: store === undefined ? "none" : "shared",
      available: store !== undefined && storeError === undefined,
      error: storeError === undefined ? null : errorEvidence(storeError, now),
    },
    operations: {},
  };
}

function timing(
  circuit: Circuit,
  now: number,
  leaseEnds: readonly number[],
): { retryAfterMs: number | null; nextProbeAt: number | null } {
  const { rules, enabled } = circuit.setup;
  const { record } = circuit.shared;
  if (!enabled || record.state === "closed") return { retryAfterMs: null, nextProbeAt: null };
  if (record.forced) return { retryAfterMs: rules.recoveryTimeoutMs, nextProbeAt: null };
  if (record.state === "open") {
    const waitMs = remainingMs(record, now);
    return { retryAfterMs: waitMs > 0 ? waitMs : null, nextProbeAt: now + waitMs };
  }
  if (leaseEnds.length < probesMax(record, rules)) return { retryAfterMs: null, nextProbeAt: now };
  const freeAt = Math.min(...leaseEnds);
  return { retryAfterMs: Math.min(PROBE_HINT_MS, freeAt - now), nextProbeAt: freeAt };
}

function nextChange(circuit: Circuit, now: number, probesRunning: number): string {
  const { rules, enabled } = circuit.setup;
  const { record } = circuit.shared;
  if (!enabled) return "the option enabled: true puts it to work";
  if (record.forced) return "only a reset lifts this order";
  if (record.state === "closed") {
    if (rules.trip.kind !== "consecutive") {
      return `it opens at ${rules.trip.failureRate * 100} % failures, from ${rules.trip.minimumCalls} calls on`;
    }
    const left = Math.max(1, rules.failureThreshold - record.failures);
    return `${left} more ${left === 1 ? "failure" : "failures in a row"} would open it`;
  }
  if (record.state === "open") {
    const waitMs = remainingMs(record, now);
    const wait = waitMs > 0 ? `in ${formatDuration(waitMs)} ` : "";
    return `${wait}the next call runs as a probe`;
  }
  const left = successesLeft(record, rules);
  const busy = probesRunning >= probesMax(record, rules) ? "; no further probe until one ends" : "";
  return `${left} more successful ${left === 1 ? "probe closes" : "probes close"} it, one failure opens it again${busy}`;
}
