import { type Clock, systemClock } from "@holdfast/core";
import type { BreakerRecord } from "./breaker-record.ts";

export type MaybePromise<T> = T | Promise<T>;

/** Pure: a store may run it more than once. Returning the record that it got means "no change". */
export type RecordChange<T> = (
  record: BreakerRecord | undefined,
  now: number,
) => { record: BreakerRecord; result: T };

/**
 * Where breaker records outlive a process and are shared. The breaker decides from its own copy
 * and touches the store only when something changes, so a store may be slow or away; one that
 * answers synchronously lets `state()` and `explain()` of a fresh process know at once.
 */
export interface BreakerStateStore {
  /** The record under `key`, or undefined when there is none. */
  read(key: string): MaybePromise<BreakerRecord | undefined>;
  /**
   * Applies `change` to the record under `key` atomically among all users of the store — under a
   * lock, or optimistically by `record.version` with `change` run again. `now` is the store's
   * clock in wall-clock milliseconds: the host's, or the server's where hosts differ.
   */
  update<T>(
    key: string,
    change: RecordChange<T>,
  ): MaybePromise<{ record: BreakerRecord; result: T }>;
}

/** Shares records among the breakers of one process: for tests, and as the port's reference. */
export class MemoryBreakerStateStore implements BreakerStateStore {
  readonly #records = new Map<string, BreakerRecord>();
  readonly #clock: Clock;

  constructor(deps: { clock?: Clock } = {}) {
    this.#clock = deps.clock ?? systemClock;
  }

  read(key: string): BreakerRecord | undefined {
    return this.#records.get(key);
  }

  update<T>(key: string, change: RecordChange<T>): { record: BreakerRecord; result: T } {
    const step = change(this.#records.get(key), this.#clock.now());
    this.#records.set(key, step.record);
    return step;
  }
}
