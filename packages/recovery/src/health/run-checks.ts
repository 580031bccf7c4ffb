import { type Clock, systemClock } from "@holdfast/core";
import type { CheckOutcome, HealthCheck } from "../check.ts";
import { withLimit } from "../with-limit.ts";

/** What a check found, and when. */
export interface CheckResult extends CheckOutcome {
  check: string;
  service: string;
  severity: NonNullable<HealthCheck["severity"]>;
  /** Wall-clock milliseconds at which it had its answer. */
  at: number;
  tookMs: number;
}

export interface RunChecksOptions {
  signal?: AbortSignal;
  /** The limit of checks that state none, in milliseconds. Default 5000. */
  timeoutMs?: number;
  /** Told each result at once, in the order in which they come. */
  onResult?: (result: CheckResult) => void;
}

/**
 * Runs checks at the same time, each under its own limit, so that a slow one hides no other. The
 * results are in the order of the checks. A check that throws or is out of time has failed.
 * @throws the signal's reason.
 */
export async function runChecks(
  checks: readonly HealthCheck[],
  options: RunChecksOptions = {},
  clock: Clock = systemClock,
): Promise<CheckResult[]> {
  const { signal = new AbortController().signal, timeoutMs = 5_000, onResult } = options;
  const results = await Promise.all(
    checks.map(async (check) => {
      const began = clock.monotonic();
      const outcome = await outcomeOf(check, check.timeoutMs ?? timeoutMs, signal);
      const result: CheckResult = {
        ...outcome,
        check: check.name,
        service: check.service ?? check.name,
        severity: check.severity ?? "unhealthy",
        at: clock.now(),
        tookMs: Math.round((clock.monotonic() - began) * 10) / 10,
      };
      if (!signal.aborted) onResult?.(result);
      return result;
    }),
  );
  signal.throwIfAborted();
  return results;
}

async function outcomeOf(
  check: HealthCheck,
  limitMs: number,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  try {
    return await withLimit(limitMs, signal, (limited) => check.run({ signal: limited }));
  } catch (error) {
    const hint = (error as { hint?: unknown } | null)?.hint;
    return {
      status: "fail",
      message: error instanceof Error ? error.message : String(error),
      ...(typeof hint === "string" ? { hint } : {}),
    };
  }
}
