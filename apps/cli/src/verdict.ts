import { formatDuration } from "@holdfast/core";
import type { MemoryStatus, SalvageStatus } from "@holdfast/memory";
import { circuitName, worstCircuit } from "./breaker-text.ts";
import type { KeeperStatus } from "./keeper/keeper-status.ts";
import type { MetricsDigest } from "./metrics-digest.ts";
import { counted } from "./counted.ts";

export interface Verdict {
  status: "healthy" | "degraded" | "recovering" | "unhealthy" | "unknown";
  cause: string;
  /** The next command to run; undefined when there is nothing to do. */
  next: string | undefined;
  /** Milliseconds since the store last answered; undefined when it never did. */
  evidenceAgeMs: number | undefined;
}

export interface VerdictOptions {
  /** Wall-clock milliseconds. */
  now: number;
  /** Between two looks of the health loop, in milliseconds; what is older than three is unknown. */
  intervalMs: number;
  /** Of a managed store that has, or had, one: what it saw and does. */
  keeper: KeeperStatus | undefined;
  /** Of its server: `gone` when it was started and is not there any more. */
  server?: "running" | "gone" | undefined;
  /** Whether the disk that the keeper speaks through has no room left. */
  isDiskFull?: boolean;
  /** What those who watch the store have seen of it. */
  seen?: Pick<MetricsDigest, "canaryAt" | "down"> | undefined;
}

/** The health loop's own, which a test holds it to: to load all of that for a number takes time. */
export const FRESH_INTERVALS = 3;

/** Clocks of processes that ask at the same moment differ by less. */
const CLOCK_SKEW_MS = 1_000;

type Judgement = Omit<Verdict, "evidenceAgeMs">;

/** What a workspace's own records and its keeper's say about it, the worst first. */
export function verdictOf(status: MemoryStatus, options: VerdictOptions): Verdict {
  const { now, intervalMs, keeper, server, seen } = options;
  const answers = [status.storeLastAnsweredAt, keeper?.canaryAt, seen?.canaryAt].filter(
    (at) => at !== undefined,
  );
  // Of an answer that is still to come nobody can say how old it is.
  const dated = answers.filter((at) => at <= now + CLOCK_SKEW_MS);
  const isSetBack = dated.length === 0 && answers.length > 0;
  const evidenceAgeMs = dated.length === 0 ? undefined : Math.max(0, now - Math.max(...dated));
  const freshMs = FRESH_INTERVALS * intervalMs;
  const judgement =
    judgeWrites(status) ??
    (keeper && judgeKeeper(keeper, keeper.silentMs > freshMs, options)) ??
    judge(status, {
      ageMs: evidenceAgeMs,
      freshMs,
      // The server of a keeper that was killed serves on until the next one takes it over.
      isStopped: keeper?.running === false && server !== "running",
      isSetBack,
      downMs: seen?.down && Math.max(0, now - seen.down.sinceMs),
      downWhy: seen?.down?.reason,
    });
  return { ...judgement, evidenceAgeMs };
}

/** Writes that are nowhere. */
function judgeWrites({ ledger, salvaged }: MemoryStatus): Judgement | undefined {
  // A salvage has said which writes are gone; without one, nobody knows.
  if (ledger.residual !== 0 && salvaged === undefined)
    return {
      status: "unhealthy",
      cause: `the ledger does not balance; unaccounted for: ${counted(ledger.residual, "accepted write")}`,
      next: "holdfast memory outbox list",
    };
  if (salvaged !== undefined && (salvaged.lost.length > 0 || ledger.residual !== 0))
    return {
      status: "degraded",
      cause: lossOf(salvaged, ledger.residual),
      next: "holdfast memory outbox retry",
    };
  return undefined;
}

/** What its keeper knows of the store, unless that is fine. */
function judgeKeeper(
  keeper: KeeperStatus,
  isStale: boolean,
  { server, isDiskFull }: Pick<VerdictOptions, "server" | "isDiskFull">,
): Judgement | undefined {
  const { running, phase, detail, failure } = keeper;
  if (!running && failure !== undefined)
    return {
      status: "unhealthy",
      cause: `the keeper gave up: ${failure.message}`,
      next: failure.hint ?? PLAN,
    };
  if (!running) return undefined;
  const isSteady = phase === "ready" || phase === "degraded";
  if (isSteady && isStale && isDiskFull)
    return {
      status: "unknown",
      cause: "the disk is full: the keeper of the server cannot say how it is",
      next: "holdfast health",
    };
  if (isSteady && isStale)
    return {
      status: "unknown",
      cause: "the keeper of the server stands still",
      next: "holdfast server stop",
    };
  if (phase === "degraded") return { status: "unhealthy", cause: detail, next: PLAN };
  if (isSteady && server === "gone")
    return { status: "unhealthy", cause: "the server has ended unasked", next: PLAN };
  if (isSteady) return undefined;
  return { status: "recovering", cause: `the keeper is ${phase}: ${detail}`, next: SERVER };
}

interface Evidence {
  ageMs: number | undefined;
  freshMs: number;
  isStopped: boolean;
  isSetBack: boolean;
  /** How long it has been seen not to serve, and why. */
  downMs: number | undefined;
  downWhy: string | undefined;
}

function judge(
  { ledger, breaker: circuits, outbox }: MemoryStatus,
  { ageMs, freshMs, isStopped, isSetBack, downMs, downWhy }: Evidence,
): Judgement {
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
      cause: `${writes(outbox.records)} waiting: ${outbox.lastError}`,
      next: SERVER,
    };
  if (breaker.state === "half-open")
    return {
      status: "degraded",
      cause: `the breaker (${circuitName(breaker)}) is half-open: ${breaker.why}`,
      next: SERVER,
    };
  if (isStopped)
    return {
      status: "unknown",
      cause: `the server is stopped until it is needed${ageMs === undefined ? "" : `; it answered ${formatDuration(ageMs)} ago`}`,
      next: "holdfast health",
    };
  if (isSetBack)
    return {
      status: "unknown",
      cause: "the clock was set back since the store answered: how long ago that was is not known",
      next: "holdfast server status",
    };
  if (downMs !== undefined && downMs < (ageMs ?? Infinity))
    return {
      status: "unhealthy",
      cause: `the store has not served for ${formatDuration(downMs)}: ${downWhy}`,
      next: PLAN,
    };
  if (ageMs === undefined)
    return {
      status: "unknown",
      cause: "the store has never answered here",
      next: outbox.records > 0 ? SERVER : 'holdfast memory add "The first memory"',
    };
  if (ageMs > freshMs)
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
const PLAN = "holdfast memory recover --dry-run";
const RESET = "holdfast memory breaker reset";
const IDS_NAMED_MAX = 5;

/** What went with a damaged outbox, as far as it can be named. */
export function lossOf({ lost }: SalvageStatus, residual: number): string {
  const damaged = "the outbox was damaged and set aside";
  if (lost.length === 0) return `${damaged}; unaccounted for: ${counted(residual, "write")}`;
  const more = lost.length > IDS_NAMED_MAX ? ` and ${lost.length - IDS_NAMED_MAX} more` : "";
  const named = lost.slice(0, IDS_NAMED_MAX).join(", ");
  return `${damaged}; not given back so far: ${named}${more}`;
}

const writes = (count: number): string => (count === 1 ? "1 write is" : `${count} writes are`);
