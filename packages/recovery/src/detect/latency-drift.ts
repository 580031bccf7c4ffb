import { median } from "./median.ts";

export interface LatencyDriftOptions {
  /** How many durations make the baseline before anything is judged. Default 30. */
  baselineMin?: number;
  /** How many of the latest undisturbed durations the baseline is made of. Default 200. */
  baselineMax?: number;
  /** Slack, in standard deviations: drifts below twice of it are let pass. Default 0.5. */
  slack?: number;
  /** The alarm's threshold. Default 5. */
  threshold?: number;
}

export interface Drift {
  alarming: boolean;
  /** The cumulative sum. */
  score: number;
  /** The usual duration, in milliseconds; undefined while the baseline is being made. */
  baselineMs: number | undefined;
  /** The median of the latest durations, in milliseconds. */
  recentMs: number;
}

/** One slow call is a slow call: what it adds is bounded, so that it takes several. */
const STEP_MAX = 3;
const RECENT = 5;
/** ±5 %: quieter baselines would take a scheduler's jitter for a drift. */
const DEVIATION_MIN = 0.05;

/**
 * Tells that durations have become longer for good, long before a limit is passed: a one-sided
 * CUSUM on their logarithm. z = (ln x − μ₀) / σ₀, S = max(0, S + z − k), alarm at S > h, over at
 * S = 0. μ₀ and σ₀ are robust (median; 1.4826 · median absolute deviation) and frozen meanwhile.
 * Source: Page, "Continuous Inspection Schemes", Biometrika 41, 1954; k = 0.5 and h = 5 as in
 * Montgomery, "Introduction to Statistical Quality Control", §9.1: an alarm without cause about
 * once in 930 looks of a normal variable.
 */
export class LatencyDrift {
  readonly #options: Required<LatencyDriftOptions>;
  readonly #baseline: number[] = [];
  readonly #recent: number[] = [];
  #score = 0;
  #alarming = false;

  constructor(options: LatencyDriftOptions = {}) {
    this.#options = { baselineMin: 30, baselineMax: 200, slack: 0.5, threshold: 5, ...options };
  }

  /** Takes the duration of one success, in milliseconds, and says how it stands. */
  add(durationMs: number): Drift {
    const x = Math.log(Math.max(durationMs, 0.01));
    this.#recent.push(x);
    if (this.#recent.length > RECENT) this.#recent.shift();
    const { baselineMin, baselineMax, slack, threshold } = this.#options;
    if (this.#baseline.length < baselineMin) {
      this.#baseline.push(x);
      return this.#standing(undefined);
    }
    const centre = median(this.#baseline) ?? x;
    const spread = median(this.#baseline.map((each) => Math.abs(each - centre))) ?? 0;
    const z = (x - centre) / Math.max(1.4826 * spread, DEVIATION_MIN);
    const next = this.#score + Math.min(z, STEP_MAX) - slack;
    this.#score = Math.min(Math.max(0, next), 2 * threshold);
    this.#alarming = this.#alarming ? this.#score > 0 : this.#score > threshold;
    if (!this.#alarming) {
      this.#baseline.push(x);
      if (this.#baseline.length > baselineMax) this.#baseline.shift();
    }
    return this.#standing(Math.exp(centre));
  }

  #standing(baselineMs: number | undefined): Drift {
    const recentMs = Math.exp(median(this.#recent) ?? 0);
    return { alarming: this.#alarming, score: this.#score, baselineMs, recentMs };
  }
}
