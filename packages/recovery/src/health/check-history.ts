import type { CheckStatus } from "../check.ts";
import type { CheckResult } from "./run-checks.ts";

export interface Hysteresis {
  /** Failures in a row before a check that passed counts as failing. Default 2. */
  failureThreshold: number;
  /** Passes in a row before one that failed counts as passing again. Default 2. */
  successThreshold: number;
}

/** What is believed of one check, as opposed to what its last look found. */
export interface CheckHistory {
  /** `suspect`: it passed before, and has failed too rarely; `returning`: the other way round. */
  readonly belief: "passing" | "suspect" | "failing" | "returning";
  readonly last: CheckResult;
  /** Looks in a row with the same answer. */
  readonly streak: number;
  /** Wall-clock milliseconds since when it is passing (suspect included) or failing. */
  readonly since: number;
  /** Monotonic milliseconds of the last look, for its age. */
  readonly seenAt: number;
}

/**
 * The next belief. The first look is believed at once; `warn` counts as a pass, since the service
 * does its work; `unknown` is no evidence, and changes nothing.
 */
export function nextHistory(
  before: CheckHistory | undefined,
  last: CheckResult,
  seenAt: number,
  { failureThreshold, successThreshold }: Hysteresis,
): CheckHistory {
  if (last.status === "unknown") {
    // What could not be looked at leaves the older evidence to age.
    return before === undefined
      ? { belief: "suspect", last, streak: 0, since: last.at, seenAt: Number.NEGATIVE_INFINITY }
      : before;
  }
  const failed = last.status === "fail";
  if (before === undefined || before.streak === 0) {
    return { belief: failed ? "failing" : "passing", last, streak: 1, since: last.at, seenAt };
  }
  const same = (before.last.status === "fail") === failed;
  const streak = same ? before.streak + 1 : 1;
  const believedFailing = before.belief === "failing" || before.belief === "returning";
  const settled = { last, streak, seenAt };
  if (failed === believedFailing) {
    return { ...settled, belief: failed ? "failing" : "passing", since: before.since };
  }
  if (streak < (failed ? failureThreshold : successThreshold)) {
    return { ...settled, belief: failed ? "suspect" : "returning", since: before.since };
  }
  return { ...settled, belief: failed ? "failing" : "passing", since: last.at };
}

/** The status to show: evidence older than `freshMs` is unknown, whatever it said. */
export function statusOf(history: CheckHistory, now: number, freshMs: number): CheckStatus {
  if (now - history.seenAt > freshMs) return "unknown";
  if (history.belief === "passing") return history.last.status;
  return history.belief === "failing" ? "fail" : "warn";
}
