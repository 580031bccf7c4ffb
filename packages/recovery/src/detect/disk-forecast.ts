import { median } from "./median.ts";

export interface DiskForecastOptions {
  /** Samples closer together than this, in milliseconds, replace one another. Default 60000. */
  gapMs?: number;
  /** How many samples are kept, the oldest forgotten first. Default 100. */
  samplesMax?: number;
  /** How many are needed before anything is said. Default 6. */
  samplesMin?: number;
}

export interface Forecast {
  /** Bytes a millisecond; negative while space is being used up. */
  slope: number;
  /** When the space is used up at that rate, in milliseconds from the last sample; else infinite. */
  fullInMs: number;
  /** The same at the fastest rate that 95 of 100 such series allow: alarm by this one. */
  fullInMsMin: number;
}

const Z_95 = 1.96;

/**
 * Forecasts when a disk is full, from samples of its free space: the Theil–Sen slope, the median of
 * the slopes of all pairs, which a third of wild samples (a log rotation, a download) cannot bend;
 * with Sen's confidence interval by Kendall's S. Time to full = free / −slope.
 * Source: Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968.
 */
export class DiskForecast {
  readonly #options: Required<DiskForecastOptions>;
  readonly #samples: { at: number; free: number }[] = [];

  constructor(options: DiskForecastOptions = {}) {
    this.#options = { gapMs: 60_000, samplesMax: 100, samplesMin: 6, ...options };
  }

  /** Takes the free bytes at `at`, monotonic milliseconds. Undefined while too little is known. */
  add(at: number, free: number): Forecast | undefined {
    const { gapMs, samplesMax, samplesMin } = this.#options;
    const before = this.#samples.at(-2);
    // The last one stays open until it is a gap away from the one before it.
    if (before !== undefined && (this.#samples.at(-1)?.at ?? 0) - before.at < gapMs) {
      this.#samples.pop();
    }
    this.#samples.push({ at, free });
    if (this.#samples.length > samplesMax) this.#samples.shift();
    return this.#samples.length < samplesMin ? undefined : this.#forecast(free);
  }

  #forecast(free: number): Forecast {
    const slopes = this.#slopes();
    const n = this.#samples.length;
    const reach = Z_95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
    // Its rank among the slopes counts from 1.
    const lowest = slopes[Math.max(0, Math.round((slopes.length - reach) / 2) - 1)] ?? 0;
    const slope = median(slopes) ?? 0;
    return { slope, fullInMs: timeToFull(free, slope), fullInMsMin: timeToFull(free, lowest) };
  }

  /** Of all pairs, ascending. */
  #slopes(): number[] {
    const slopes = this.#samples.flatMap((one, index) =>
      this.#samples
        .slice(index + 1)
        .filter(({ at }) => at > one.at)
        .map(({ at, free }) => (free - one.free) / (at - one.at)),
    );
    return slopes.toSorted((one, other) => one - other);
  }
}

function timeToFull(free: number, slope: number): number {
  return slope < 0 ? free / -slope : Number.POSITIVE_INFINITY;
}
