export type StateName = "closed" | "open" | "half-open";

/** An operator's order, which outweighs every outcome until `reset`. */
export interface ForcedMode {
  mode: "open" | "closed" | "disabled";
  reason: string;
  /** Wall-clock milliseconds. */
  since: number;
}

/** An error as it is kept: small, plain, without stack or secrets in its properties. */
export interface ErrorEvidence {
  /** Wall-clock milliseconds. */
  at: number;
  name: string;
  message: string;
  code: string | null;
}

/** A half-open probe's right to run. One that expires leaves an unknown outcome. */
export interface ProbeLease {
  token: string;
  /** Wall-clock milliseconds. */
  acquiredAt: number;
  expiresAt: number;
}

interface RecordBase {
  /** +1 at every change; a higher one is newer within a generation. */
  version: number;
  /** +1 at every change of state; outcomes of an earlier generation decide nothing. */
  generation: number;
  /** Wall-clock milliseconds at which this state began: the true `openedAt` of an open one. */
  since: number;
  /** Why it came into this state. */
  why: string;
  /** The last errors that counted, newest last; at most {@link ERRORS_KEPT}. */
  errors: readonly ErrorEvidence[];
  forced: ForcedMode | null;
}

export interface ClosedRecord extends RecordBase {
  state: "closed";
  /** Consecutive failures so far. */
  failures: number;
  /** Closed by successful probes, so that a ramp applies. */
  recovered: boolean;
}

export interface OpenRecord extends RecordBase {
  state: "open";
  /** Times opened without closing in between, from 1. */
  attempt: number;
  /** Wall-clock milliseconds from which a probe may run. */
  retryAt: number;
}

export interface HalfOpenRecord extends RecordBase {
  state: "half-open";
  attempt: number;
  successes: number;
  leases: readonly ProbeLease[];
  /** Probes whose lease expired: outcome unknown. */
  unknown: number;
}

/** Everything that outlives a call, as plain JSON: what a store keeps and processes share. */
export type BreakerRecord = ClosedRecord | OpenRecord | HalfOpenRecord;

const ERRORS_KEPT = 5;
const MESSAGE_CHARACTERS_MAX = 300;

/** The record of a breaker that nobody has used yet. */
export function initialRecord(): ClosedRecord {
  return {
    state: "closed",
    version: 0,
    generation: 0,
    since: 0,
    why: "it has not opened yet",
    errors: [],
    forced: null,
    failures: 0,
    recovered: false,
  };
}

/** Whether `a` must replace `b`: a later generation, or a later change of the same one. */
export function isNewer(a: BreakerRecord, b: BreakerRecord): boolean {
  return a.generation === b.generation ? a.version > b.version : a.generation > b.generation;
}

/** Reduces what was thrown to evidence; never throws, whatever it is given. */
export function errorEvidence(error: unknown, at: number): ErrorEvidence {
  if (!(error instanceof Error)) {
    return { at, name: typeof error, message: clip(printable(error)), code: null };
  }
  const code = (error as { code?: unknown }).code;
  return {
    at,
    name: error.name,
    message: clip(String((error as { message: unknown }).message)),
    code: typeof code === "string" ? code : null,
  };
}

/** Appends to a bounded list of evidence. */
export function withError(
  errors: readonly ErrorEvidence[],
  error: ErrorEvidence,
): readonly ErrorEvidence[] {
  return [...errors, error].slice(-ERRORS_KEPT);
}

function printable(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function clip(text: string): string {
  return text.length <= MESSAGE_CHARACTERS_MAX ? text : `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…`;
}
