import type { Clock } from "@holdfast/core";

/** A clock that the test turns; wall time and monotonic time move apart only by `jump`. */
export class FakeClock implements Clock {
  wallMs: number;
  #monotonicMs = 0;

  constructor(wallMs: number = Date.UTC(2026, 0, 5)) {
    this.wallMs = wallMs;
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  sleep(): Promise<void> {
    return Promise.reject(new Error("Nothing in the metrics store sleeps"));
  }

  advance(ms: number): void {
    this.wallMs += ms;
    this.#monotonicMs += ms;
  }

  jump(ms: number): void {
    this.wallMs += ms;
  }
}
