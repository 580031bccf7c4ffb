import { type Clock, systemClock } from "@holdfast/core";
import type { CheckStatus, HealthCheck } from "../check.ts";
import { type CheckHistory, nextHistory, statusOf } from "./check-history.ts";
import { type CheckResult, runChecks } from "./run-checks.ts";
import { type ServiceStatus, serviceStatus } from "./service-status.ts";

export interface HealthLoopOptions {
  /** Milliseconds between rounds while all is well. Default 30000. */
  intervalMs?: number;
  /** Milliseconds until the next round after one that found trouble. Default 2000. */
  anxiousMs?: number;
  /** The limit of checks that state none, in milliseconds. Default 5000. */
  timeoutMs?: number;
  /** Failures in a row before a check that passed counts as failing. Default 2. */
  failureThreshold?: number;
  /** Passes in a row before one that failed counts as passing again. Default 2. */
  successThreshold?: number;
}

export interface HealthLoopDeps {
  checks: readonly HealthCheck[];
  clock?: Clock;
  /** Asked whether to look again soon although every check passes: when trouble is foreseen. */
  anxious?: () => boolean;
  /** Told after each round. What it throws ends the round with it. */
  onReport?: (report: HealthReport) => void;
}

/** A check as it stands: `status` is what is believed, `last` what was seen. */
export interface CheckReport {
  check: string;
  service: string;
  severity: CheckResult["severity"];
  status: CheckStatus;
  belief: CheckHistory["belief"];
  last: CheckResult;
  /** Looks in a row with the same answer. */
  streak: number;
  /** Wall-clock milliseconds since when it passes or fails. */
  since: number;
  /** Milliseconds since the last look that found anything; undefined before the first. */
  ageMs: number | undefined;
}

export interface HealthReport {
  status: ServiceStatus;
  checks: CheckReport[];
  /** Wall-clock milliseconds. */
  at: number;
}

export const HEALTH_DEFAULTS: Required<HealthLoopOptions> = {
  intervalMs: 30_000,
  anxiousMs: 2_000,
  timeoutMs: 5_000,
  failureThreshold: 2,
  successThreshold: 2,
};

/** Evidence older than this many intervals shows nothing; an interval is no shorter than a look. */
export const FRESH_INTERVALS = 3;

/** One that runs; it ends early when nobody waits for it any more. */
interface Round {
  report: Promise<HealthReport>;
  waiting: number;
  stop: AbortController;
}

const NEVER = new AbortController().signal;

/**
 * Looks again and again, and believes neither one bad look nor one good one. Rounds never overlap:
 * who asks for one while one runs gets that one's report.
 */
export class HealthLoop {
  readonly #options: Required<HealthLoopOptions>;
  readonly #deps: HealthLoopDeps;
  readonly #clock: Clock;
  readonly #histories = new Map<string, CheckHistory>();
  #running: Round | undefined;
  #roundEndedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HealthLoopOptions, deps: HealthLoopDeps) {
    this.#options = { ...HEALTH_DEFAULTS, ...options };
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** Runs every check once, at the same time. @throws the signal's reason. */
  async round(signal: AbortSignal = NEVER): Promise<HealthReport> {
    signal.throwIfAborted();
    const round = (this.#running ??= this.#begin());
    round.waiting += 1;
    try {
      return await orAborted(round.report, signal);
    } finally {
      round.waiting -= 1;
      if (round.waiting === 0 && this.#running === round) {
        this.#running = undefined;
        round.stop.abort(signal.reason);
      }
    }
  }

  /** What is believed now, without a look: older evidence may have become unknown. */
  report(): HealthReport {
    const now = this.#clock.monotonic();
    const { intervalMs, timeoutMs } = this.#options;
    const freshMs = FRESH_INTERVALS * Math.max(intervalMs, timeoutMs);
    const checks = this.#deps.checks.flatMap(({ name }): CheckReport[] => {
      const history = this.#histories.get(name);
      return history === undefined ? [] : [reportOf(history, now, freshMs)];
    });
    const standing = checks.map(({ status, severity, belief }) => ({
      status,
      severity,
      returning: belief === "returning",
    }));
    return { status: serviceStatus(standing), checks, at: this.#clock.now() };
  }

  /** Milliseconds until the next round is due: soon, while anything is not as it should be. */
  dueInMs(): number {
    const { intervalMs, anxiousMs } = this.#options;
    const wrong = [...this.#histories.values()].some(
      ({ belief, last }) => belief !== "passing" || last.status === "fail",
    );
    const waitMs = wrong || this.#deps.anxious?.() ? Math.min(intervalMs, anxiousMs) : intervalMs;
    return Math.max(0, this.#roundEndedAt + waitMs - this.#clock.monotonic());
  }

  /** Forgets what was believed: after a proved recovery the next look counts as the first. */
  forget(): void {
    this.#histories.clear();
    this.#roundEndedAt = Number.NEGATIVE_INFINITY;
  }

  #begin(): Round {
    const stop = new AbortController();
    const report = this.#round(stop.signal).finally(() => {
      if (this.#running === round) this.#running = undefined;
    });
    const round: Round = { report, waiting: 0, stop };
    return round;
  }

  async #round(signal: AbortSignal): Promise<HealthReport> {
    const { timeoutMs } = this.#options;
    await runChecks(
      this.#deps.checks,
      { signal, timeoutMs, onResult: (result) => this.#see(result) },
      this.#clock,
    );
    this.#roundEndedAt = this.#clock.monotonic();
    const report = this.report();
    this.#deps.onReport?.(report);
    return report;
  }

  #see(result: CheckResult): void {
    const before = this.#histories.get(result.check);
    const seenAt = this.#clock.monotonic();
    this.#histories.set(result.check, nextHistory(before, result, seenAt, this.#options));
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function reportOf(history: CheckHistory, now: number, freshMs: number): CheckReport {
  const { last, belief, streak, since, seenAt } = history;
  const { check, service, severity } = last;
  const status = statusOf(history, now, freshMs);
  const ageMs = Number.isFinite(seenAt) ? now - seenAt : undefined;
  return { check, service, severity, status, belief, last, streak, since, ageMs };
}
