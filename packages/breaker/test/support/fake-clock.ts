import type { Clock } from "@holdfast/core";

/** A clock that only moves when told. */
export class FakeClock implements Clock {
  #now: number;
  #monotonic = 1_000;

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sleep(): Promise<void> {
    return Promise.reject(new Error("nothing here may sleep"));
  }

  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#now += ms;
  }
}
