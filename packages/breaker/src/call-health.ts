import type { ResolvedCircuitOptions } from "./breaker-options.ts";
import { type CallWindow, CountWindow, TimeWindow } from "./call-window.ts";

interface Rule {
  readonly kind: "failed" | "slow";
  readonly window: CallWindow;
  readonly rate: number;
  readonly minimumCalls: number;
}

/** One window's content, for people. */
export interface WindowCounts {
  kind: "failed" | "slow";
  calls: number;
  bad: number;
  /** The part that opens the breaker, 0–1. */
  rate: number;
  minimumCalls: number;
}

/** The windows of this process that can open a closed breaker: failure rate and slow-call rate. */
export class CallHealth {
  readonly #rules: readonly Rule[];
  readonly #slowerThanMs: number;

  private constructor(rules: readonly Rule[], slowerThanMs: number) {
    this.#rules = rules;
    this.#slowerThanMs = slowerThanMs;
  }

  /** Undefined when the options watch no window, so that the hot path has nothing to do. */
  static of(options: ResolvedCircuitOptions): CallHealth | undefined {
    const { trip, slowCalls } = options;
    const rules: Rule[] = [];
    if (trip.kind !== "consecutive") {
      const window =
        trip.kind === "count" ? new CountWindow(trip.calls) : new TimeWindow(trip.windowMs);
      const { failureRate: rate, minimumCalls } = trip;
      rules.push({ kind: "failed", window, rate, minimumCalls });
    }
    if (slowCalls) {
      const { rate, minimumCalls, windowMs } = slowCalls;
      rules.push({ kind: "slow", window: new TimeWindow(windowMs), rate, minimumCalls });
    }
    if (rules.length === 0) return undefined;
    return new CallHealth(rules, slowCalls?.slowerThanMs ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Counts a call that ended at monotonic `at`. Returns why the breaker must open, if it must:
   * a rate is reached when it is equal, and successes can complete the minimum too.
   */
  record(failed: boolean, durationMs: number, at: number): string | undefined {
    const slow = durationMs > this.#slowerThanMs;
    for (const { kind, window } of this.#rules) window.add(kind === "failed" ? failed : slow, at);
    for (const { kind, window, rate, minimumCalls } of this.#rules) {
      const { calls, bad } = window.counts(at);
      if (calls >= minimumCalls && bad > 0 && bad >= rate * calls) {
        return `${bad} of the last ${calls} calls ${kind === "slow" ? "were slow" : "failed"} (limit ${percent(rate)})`;
      }
    }
    return undefined;
  }

  counts(at: number): WindowCounts[] {
    return this.#rules.map(({ kind, window, rate, minimumCalls }) => ({
      kind,
      ...window.counts(at),
      rate,
      minimumCalls,
    }));
  }

  clear(): void {
    for (const { window } of this.#rules) window.clear();
  }
}

function percent(rate: number): string {
  return `${Math.round(rate * 1_000) / 10} %`;
}
