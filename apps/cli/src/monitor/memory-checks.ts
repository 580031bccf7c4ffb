import type { CircuitBreaker } from "@holdfast/breaker";
import { type Clock, formatDuration } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import { FRESH_INTERVALS, HEALTH_DEFAULTS, type HealthCheck, PhiAccrual } from "@holdfast/recovery";
import { circuitName, circuitsOf } from "../breaker-text.ts";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { lossOf } from "../verdict.ts";
import { counted } from "../counted.ts";

/** How long a write may wait before that is worth a word. */
const WAITING_MS_MAX = 5 * 60_000;
/** φ 8 errs once in 10⁸ heartbeats. */
const PHI_MAX = 8;

/** What this machine's own records say: they are read, and nothing is called. */
export function memoryChecks(memory: Memory, breaker: CircuitBreaker): HealthCheck[] {
  return [
    {
      name: "ledger",
      service: "outbox",
      run: () => {
        const { ledger, salvaged } = memory.status();
        const { residual, accepted, dead } = ledger;
        if (residual !== 0 && salvaged === undefined) {
          return {
            status: "fail",
            message: `${residual} accepted writes are unaccounted for`,
            hint: "holdfast memory outbox list",
          };
        }
        if (salvaged !== undefined && (salvaged.lost.length > 0 || residual !== 0)) {
          return {
            status: "warn",
            message: lossOf(salvaged, residual),
            hint: "holdfast memory outbox retry",
          };
        }
        if (dead > 0) {
          return {
            status: "warn",
            message: `the store refused ${counted(dead, "write")}`,
            hint: "holdfast memory outbox list",
          };
        }
        return { status: "pass", message: `all ${accepted} accepted writes are accounted for` };
      },
    },
    {
      name: "waiting",
      service: "outbox",
      severity: "degraded",
      run: () => {
        const { records, oldestAgeMs = 0, lastError } = memory.status().outbox;
        if (oldestAgeMs <= WAITING_MS_MAX) {
          return {
            status: "pass",
            message: `waiting: ${counted(records, "write")}`,
            evidence: { records },
          };
        }
        const why = lastError === undefined ? "" : `: ${lastError}`;
        const since = formatDuration(oldestAgeMs);
        return {
          status: "warn",
          message: `waiting for up to ${since}: ${counted(records, "write")}${why}`,
        };
      },
    },
    {
      name: "breaker",
      service: "breaker",
      severity: "degraded",
      run: () => {
        const tripped = circuitsOf(breaker.explain()).filter(({ state }) => state !== "closed");
        if (tripped.length === 0) return { status: "pass", message: "every circuit is closed" };
        const named = tripped
          .map((circuit) => `${circuitName(circuit)} is ${circuit.state}: ${circuit.why}`)
          .join("; ");
        return { status: "warn", message: named, hint: "holdfast memory breaker explain" };
      },
    },
  ];
}

/** What the keeper of a managed store expects to go wrong. It warns, and changes no status. */
export function foreseenCheck(dataDirectory: string): HealthCheck {
  return {
    name: "foreseen",
    service: "keeper",
    severity: "none",
    run: () => {
      const { foreseen = [] } = keeperStatus(dataDirectory) ?? {};
      if (foreseen.length === 0) return { status: "pass", message: "nothing is foreseen" };
      return { status: "warn", message: foreseen.join("; ") };
    },
  };
}

/** Whether a managed store has a keeper, and whether that one still looks at it. */
export function keeperCheck(
  dataDirectory: string,
  { intervalMs, clock }: { intervalMs: number; clock: Clock },
): HealthCheck {
  // Each look of the keeper is a heartbeat; one that takes its time is no suspect, nor is one that
  // began before the interval was shortened.
  const pauseMs = Math.max(intervalMs, HEALTH_DEFAULTS.intervalMs);
  const heartbeats = new PhiAccrual({ firstIntervalMs: pauseMs, acceptablePauseMs: pauseMs });
  let seen = 0;
  return {
    name: "keeper",
    service: "keeper",
    severity: "degraded",
    run: () => {
      const status = keeperStatus(dataDirectory);
      const next = { hint: "holdfast server start" };
      if (status?.running !== true) {
        const why = status?.failure === undefined ? "" : `: ${status.failure.message}`;
        return { status: "fail", message: `no keeper manages the server${why}`, ...next };
      }
      const { phase, detail, changedAt, silentMs } = status;
      if (changedAt !== seen) heartbeats.heartbeat(clock.monotonic());
      seen = changedAt;
      const phi = Math.round(heartbeats.phi(clock.monotonic()) * 10) / 10;
      const isSilent = phi > PHI_MAX || silentMs > FRESH_INTERVALS * pauseMs;
      const steady = phase === "ready" || phase === "degraded";
      if (steady && isSilent) {
        return { status: "fail", message: "the keeper stands still", evidence: { phi } };
      }
      const message = `${phase}: ${detail}`;
      return { status: phase === "ready" ? "pass" : "warn", message, evidence: { phase, phi } };
    },
  };
}
