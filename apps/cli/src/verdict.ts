import { formatDuration } from "@holdfast/core";
import type { MemoryStatus, SalvageStatus } from "@holdfast/memory";
import { circuitName, worstCircuit } from "./breaker-text.ts";

export interface Verdict {
  status: "healthy" | "degraded" | "unhealthy" | "unknown";
  cause: string;
  /** The next command to run; undefined when there is nothing to do. */
  next: string | undefined;
  /** Milliseconds since the store last answered; undefined when it never did. */
  evidenceAgeMs: number | undefined;
}

/** Three intervals of the health loop: what is older shows nothing. */
const EVIDENCE_AGE_MS_MAX = 90_000;

/** What a workspace's own records say about it, the worst first. `now` in wall-clock ms. */
export function verdictOf(status: MemoryStatus, now: number): Verdict {
  const answeredAt = status.storeLastAnsweredAt;
  const evidenceAgeMs = answeredAt === undefined ? undefined : Math.max(0, now - answeredAt);
  return { ...judge(status, evidenceAgeMs), evidenceAgeMs };
}

function judge(
  { ledger, breaker: circuits, outbox, salvaged }: MemoryStatus,
  ageMs: number | undefined,
): Omit<Verdict, "evidenceAgeMs"> {
  // A salvage has said which writes are gone; without one, nobody knows.
  if (ledger.residual !== 0 && salvaged === undefined)
    return {
      status: "unhealthy",
      cause: `the ledger does not balance: ${ledger.residual} accepted writes are unaccounted for`,
      next: "holdfast memory outbox list",
    };
  if (salvaged !== undefined && (salvaged.lost.length > 0 || ledger.residual !== 0))
    return {
      status: "degraded",
      cause: lossOf(salvaged, ledger.residual),
      next: "holdfast memory outbox retry",
    };
  const breaker = worstCircuit(circuits);
  if (breaker.state === "open")
    return {
      status: "degraded",
      cause: `the breaker (${circuitName(breaker)}) is open: ${breaker.why}`,
      next: breaker.forced === null ? SERVER : RESET,
    };
  if (ledger.dead > 0)
    return {
      status: "degraded",
      cause: `${writes(ledger.dead)} refused by the store`,
      next: "holdfast memory outbox list",
    };
  if (outbox.records > 0 && outbox.lastError !== undefined)
    return {
      status: "degraded",
      cause: `${writes(outbox.records)} waiting, since ${outbox.lastError}`,
      next: SERVER,
    };
  if (breaker.state === "half-open")
    return {
      status: "degraded",
      cause: `the breaker (${circuitName(breaker)}) is half-open: ${breaker.why}`,
      next: SERVER,
    };
  if (ageMs === undefined)
    return {
      status: "unknown",
      cause: "the store has never answered here",
      next: outbox.records > 0 ? SERVER : 'holdfast memory add "The first memory"',
    };
  if (ageMs > EVIDENCE_AGE_MS_MAX)
    return {
      status: "unknown",
      cause: `nobody has asked the store for ${formatDuration(ageMs)}; it answered then`,
      next: "holdfast server status",
    };
  const waiting = outbox.records === 0 ? "nothing waits" : `${writes(outbox.records)} on the way`;
  return {
    status: "healthy",
    cause: `the store answered ${formatDuration(ageMs)} ago; ${waiting}`,
    next: undefined,
  };
}

const SERVER = "holdfast server status";
const RESET = "holdfast memory breaker reset";
const IDS_NAMED_MAX = 5;

/** What went with a damaged outbox, as far as it can be named. */
export function lossOf({ lost }: SalvageStatus, residual: number): string {
  const damaged = "the outbox was damaged and set aside";
  if (lost.length === 0) return `${damaged}; ${residual} of its writes are unaccounted for`;
  const more = lost.length > IDS_NAMED_MAX ? ` and ${lost.length - IDS_NAMED_MAX} more` : "";
  const named = lost.slice(0, IDS_NAMED_MAX).join(", ");
  return `${damaged}; not given back so far: ${named}${more}`;
}

const writes = (count: number): string => (count === 1 ? "1 write is" : `${count} writes are`);
