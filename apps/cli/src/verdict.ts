import { formatDuration } from "@holdfast/core";
import type { MemoryStatus } from "@holdfast/memory";

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
  { ledger, breaker, outbox }: MemoryStatus,
  ageMs: number | undefined,
): Omit<Verdict, "evidenceAgeMs"> {
  if (ledger.residual !== 0)
    return {
      status: "unhealthy",
      cause: `the ledger does not balance: ${ledger.residual} accepted writes are unaccounted for`,
      next: "holdfast memory outbox list",
    };
  if (breaker.state === "open")
    return { status: "degraded", cause: `the breaker is open: ${breaker.why}`, next: SERVER };
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
    return { status: "degraded", cause: `the breaker is half-open: ${breaker.why}`, next: SERVER };
  if (ageMs === undefined)
    return {
      status: "unknown",
      cause: "the store has never answered here",
      next: 'holdfast memory add "The first memory"',
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

const writes = (count: number): string => (count === 1 ? "1 write is" : `${count} writes are`);
