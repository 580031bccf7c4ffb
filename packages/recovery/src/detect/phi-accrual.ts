export interface PhiAccrualOptions {
  /** How many intervals are remembered. Default 200. */
  intervalsMax?: number;
  /** A floor, so that very regular heartbeats do not convict for a hiccup. Default 100. */
  deviationMsMin?: number;
  /** A pause that nobody minds, in milliseconds; added to the usual interval. Default 0. */
  acceptablePauseMs?: number;
  /** The expected interval before any was seen, in milliseconds. Default 1000. */
  firstIntervalMs?: number;
}

/**
 * The φ accrual failure detector, for heartbeats: how unlikely it is that the next one is still to
 * come. φ = −log10(1 − F(t − last)), F the normal distribution of the intervals seen; φ 1 errs once
 * in 10, φ 8 once in 10⁸. Usual thresholds are 8 to 12.
 * Source: Hayashibara, Défago, Yared, Katayama, "The φ Accrual Failure Detector", SRDS 2004; F by
 * the logistic approximation of Bowling et al., JIEM 2(1), 2009 (error below 1.4·10⁻⁴), whose tail
 * can be computed however far out; the pause as in Akka's `PhiAccrualFailureDetector`.
 */
export class PhiAccrual {
  readonly #options: Required<PhiAccrualOptions>;
  readonly #intervals: number[];
  #last: number | undefined;

  constructor(options: PhiAccrualOptions = {}) {
    this.#options = {
      intervalsMax: 200,
      deviationMsMin: 100,
      acceptablePauseMs: 0,
      firstIntervalMs: 1_000,
      ...options,
    };
    // Two that differ by half say that nothing is known of the spread yet.
    const { firstIntervalMs } = this.#options;
    this.#intervals = [firstIntervalMs * 0.75, firstIntervalMs * 1.25];
  }

  /** A heartbeat came at `at`, in monotonic milliseconds. */
  heartbeat(at: number): void {
    if (this.#last !== undefined && at > this.#last) {
      // A pause that convicted is an outage, not a new habit.
      if (this.phi(at) < 8) this.#intervals.push(at - this.#last);
      if (this.#intervals.length > this.#options.intervalsMax) this.#intervals.shift();
    }
    this.#last = at;
  }

  /** 0 before the first heartbeat; grows without bound while none comes. */
  phi(now: number): number {
    if (this.#last === undefined) return 0;
    const { deviationMsMin, acceptablePauseMs } = this.#options;
    const count = this.#intervals.length;
    const mean = this.#intervals.reduce((sum, each) => sum + each, 0) / count;
    const variance = this.#intervals.reduce((sum, each) => sum + (each - mean) ** 2, 0) / count;
    const deviation = Math.max(Math.sqrt(variance), deviationMsMin);
    const y = (now - this.#last - mean - acceptablePauseMs) / deviation;
    const exponent = y * (1.5976 + 0.070566 * y * y);
    // −log10(1 / (1 + e^x)): for a large x, e^x itself is no longer a number.
    return (exponent > 30 ? exponent : Math.log1p(Math.exp(exponent))) / Math.LN10;
  }
}
