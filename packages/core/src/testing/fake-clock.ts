import type { Clock } from "../clock.ts";

interface Sleeper {
  at: number;
  wake: () => void;
}

/** A {@link Clock} for tests: time passes only when told to. */
export class FakeClock implements Clock {
  #nowMs: number;
  /** Any origin but 0, which no real clock shows either. */
  #monotonicMs = 1_000;
  #sleepers: Sleeper[] = [];

  /** @param nowMs wall-clock milliseconds to begin with. Default 2026-01-01T00:00:00Z. */
  constructor(nowMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  /** How many wait on this clock. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        at: this.#monotonicMs + delayMs,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /**
   * Lets `ms` pass. Whoever sleeps is woken in order of time, each at its own time, and what they
   * do until their next wait on a promise of their own is done before the next one is woken.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.reduce<Sleeper | undefined>(
        (first, sleeper) => (first === undefined || sleeper.at < first.at ? sleeper : first),
        undefined,
      );
      if (next === undefined || next.at > end) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#moveTo(Math.max(next.at, this.#monotonicMs));
      next.wake();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Lets `ms` pass at once, as while the machine stands still: {@link advance} wakes who is due. */
  pass(ms: number): void {
    this.#moveTo(this.#monotonicMs + ms);
  }

  /** Moves the wall clock alone, as an administrator or NTP does. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Lets promise reactions, and whatever they queue, run to their end. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
