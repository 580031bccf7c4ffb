export interface ErrorRateOptions {
  /** The rate of failures that is too much, 0 to 1. Default 0.1. */
  rateMax?: number;
  /** How sure to be before it alarms, 0 to 1. Default 0.95. */
  confidence?: number;
  /** After so many outcomes an old one counts half. Default 50. */
  halfLife?: number;
}

export interface ErrorRateEstimate {
  alarming: boolean;
  /** The posterior's mean, 0 to 1. */
  rate: number;
  /** The probability that the true rate is above `rateMax`. */
  probability: number;
}

/**
 * Whether failures have become too frequent, with no more certainty than the number of outcomes
 * gives: two failures of two prove little, twenty of a hundred a lot. The rate's posterior is
 * Beta(½ + failures, ½ + successes), the prior Jeffreys'; old outcomes fade.
 * Source: Gelman et al., "Bayesian Data Analysis", 3rd ed., §2.4 and §2.8.
 */
export class ErrorRate {
  readonly #options: Required<ErrorRateOptions>;
  #failures = 0;
  #successes = 0;

  constructor(options: ErrorRateOptions = {}) {
    this.#options = { rateMax: 0.1, confidence: 0.95, halfLife: 50, ...options };
  }

  add(failed: boolean): ErrorRateEstimate {
    const fade = 2 ** (-1 / this.#options.halfLife);
    this.#failures = this.#failures * fade + (failed ? 1 : 0);
    this.#successes = this.#successes * fade + (failed ? 0 : 1);
    const [alpha, beta] = [0.5 + this.#failures, 0.5 + this.#successes];
    const probability = 1 - regularizedBeta(this.#options.rateMax, alpha, beta);
    return {
      alarming: probability >= this.#options.confidence,
      rate: alpha / (alpha + beta),
      probability,
    };
  }
}

/**
 * I_x(a, b), the distribution function of Beta(a, b).
 * Source: Press et al., "Numerical Recipes", 3rd ed., §6.4: continued fraction by Lentz's method.
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  // The fraction converges fast on this side of the mean only.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

const TINY = 1e-300;

function betaFraction(x: number, a: number, b: number): number {
  const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 300; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      result *= d * c;
    }
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return result;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155,
  0.001208650973866179, -0.000005395239384953,
] as const;

/** ln Γ(x) for x > 0. Source: Lanczos 1964, as in "Numerical Recipes" §6.1; error below 2·10⁻¹⁰. */
function logGamma(x: number): number {
  const shifted = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  const series = LANCZOS.reduce(
    (sum, coefficient, index) => sum + coefficient / (x + 1 + index),
    1.000000000190015,
  );
  return Math.log((Math.sqrt(2 * Math.PI) * series) / x) - shifted;
}
