import { type BackoffOptions, type Clock, fullJitterMs, type Random } from "@holdfast/core";

export interface RestartPolicyOptions {
  /** A service that ran for less than this, in milliseconds, has crashed quickly. Default 60000. */
  quickMs?: number;
  /**
   * So many quick crashes in a row show that starting again does not help by itself: a look at what
   * is wrong comes next. Default 2.
   */
  quickCrashesMax?: number;
  /** Restart intensity: so many attempts within `windowMs` are made, then none. Default 5. */
  attemptsMax?: number;
  /** In milliseconds. Default 600000. */
  windowMs?: number;
  /** The wait before an attempt, with full jitter. Default from 250 ms up to 10 s. */
  backoff?: BackoffOptions;
}

export const RESTART_DEFAULTS: Required<RestartPolicyOptions> = {
  quickMs: 60_000,
  quickCrashesMax: 2,
  attemptsMax: 5,
  windowMs: 600_000,
  backoff: { baseMs: 250, maxMs: 10_000 },
};

/** `restart`: start it again. `recover`: find out what is wrong first. `give-up`: tell a person. */
export interface RestartDecision {
  action: "restart" | "recover" | "give-up";
  /** Attempts within the window, this one included. */
  attempt: number;
  /** Milliseconds to wait first. */
  waitMs: number;
  /** Why, in words. */
  why: string;
}

/**
 * Decides what to do about a service that ended or does not do its work. Attempts cost more and
 * more patience, and there is an end to them: the restart intensity of Erlang/OTP's supervisors
 * (`supervisor` man page: MaxR restarts within MaxT), with a look at the cause before the end.
 */
export class RestartPolicy {
  readonly #options: Required<RestartPolicyOptions>;
  readonly #clock: Clock;
  readonly #random: Random;
  #attemptsAt: number[] = [];
  #quickCrashes = 0;

  constructor(options: RestartPolicyOptions, deps: { clock: Clock; random: Random }) {
    this.#options = { ...RESTART_DEFAULTS, ...options };
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** It ended after `ranMs`, 0 when it did not even start. */
  crashed(ranMs: number): RestartDecision {
    const { quickMs, quickCrashesMax } = this.#options;
    this.#quickCrashes = ranMs < quickMs ? this.#quickCrashes + 1 : 1;
    if (this.#quickCrashes < quickCrashesMax) return this.#attempt("restart", "it ended");
    return this.#attempt("recover", `it ended ${this.#quickCrashes} times in a row, each soon`);
  }

  /** It runs and does not do its work, or a recovery did not help. */
  troubled(why: string): RestartDecision {
    return this.#attempt("recover", why);
  }

  /** The last attempt was none: somebody else was at it. */
  forgive(): void {
    this.#attemptsAt.pop();
  }

  /** Forgets every attempt: it works, or somebody says that it may be tried again. */
  reset(): void {
    this.#attemptsAt = [];
    this.#quickCrashes = 0;
  }

  #attempt(action: "restart" | "recover", why: string): RestartDecision {
    const { attemptsMax, windowMs, backoff } = this.#options;
    const now = this.#clock.monotonic();
    this.#attemptsAt = this.#attemptsAt.filter((at) => now - at < windowMs);
    const attempt = this.#attemptsAt.length + 1;
    if (attempt > attemptsMax) {
      const tried = `${attemptsMax} attempts within ${Math.round(windowMs / 1000)} s did not help`;
      return { action: "give-up", attempt: attemptsMax, waitMs: 0, why: `${why}; ${tried}` };
    }
    this.#attemptsAt.push(now);
    return { action, attempt, waitMs: fullJitterMs(attempt, backoff, this.#random), why };
  }
}
