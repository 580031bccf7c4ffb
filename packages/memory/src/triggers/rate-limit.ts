/** How often events of one type are captured. */
export interface RateLimit {
  /** At most so many within any minute. Default: no bound. */
  perMinute?: number;
  /** Not again before so many milliseconds have passed. Default 0. */
  cooldownMs?: number;
}

const MINUTE_MS = 60_000;

/** Counts by type within this process. Times are monotonic milliseconds. */
export class RateLimiter {
  readonly #limits: Readonly<Record<string, RateLimit>>;
  /** When the last ones of each type were let through, the oldest first. */
  readonly #passed = new Map<string, number[]>();

  constructor(limits: Readonly<Record<string, RateLimit>>) {
    this.#limits = limits;
  }

  /** Whether one more of `type` may pass now; if so, it has. */
  pass(type: string, now: number): boolean {
    const limit = this.#limits[type];
    if (limit === undefined) return true;
    const { perMinute = Number.POSITIVE_INFINITY, cooldownMs = 0 } = limit;
    const passed = this.#passed.get(type) ?? [];
    while (passed[0] !== undefined && now - passed[0] >= Math.max(MINUTE_MS, cooldownMs))
      passed.shift();
    const last = passed.at(-1);
    if (last !== undefined && now - last < cooldownMs) return false;
    if (passed.filter((at) => now - at < MINUTE_MS).length >= perMinute) return false;
    passed.push(now);
    // Without a bound a minute only the last one counts.
    if (perMinute === Number.POSITIVE_INFINITY) passed.splice(0, passed.length - 1);
    this.#passed.set(type, passed);
    return true;
  }
}
