import type { Clock } from "@holdfast/core";
import { BreakerStoreError } from "./breaker-error.ts";
import { type BreakerRecord, initialRecord, isNewer } from "./breaker-record.ts";
import type { BreakerStateStore, MaybePromise } from "./breaker-state-store.ts";
import type { Step } from "./transition.ts";

export type ChangeOrigin = "local" | "shared";

export interface SharedRecordOptions {
  key: string;
  pollMs: number;
  storeTimeoutMs: number;
  clock: Clock;
  store: BreakerStateStore | undefined;
  /** The copy was replaced; `before` may be of the same generation. */
  onChange: (before: BreakerRecord, after: BreakerRecord, origin: ChangeOrigin) => void;
  /** The store was lost (with its error) or came back. */
  onStore: (available: boolean, error: unknown) => void;
}

/**
 * This process's copy of a breaker's record. Decisions read the copy; changes go through the
 * store, if there is one. While the store is away changes stay local, and are handed in when it
 * is back, unless others have moved on by then.
 */
export class SharedRecord {
  readonly #options: SharedRecordOptions;
  #record: BreakerRecord = initialRecord();
  #storeError: unknown;
  #pollAt = Number.NEGATIVE_INFINITY;
  #lostUntil = Number.NEGATIVE_INFINITY;
  #firstRead: Promise<void> | undefined;

  constructor(options: SharedRecordOptions) {
    this.#options = options;
  }

  get record(): BreakerRecord {
    return this.#record;
  }

  /** The fault that keeps the store away, or undefined while it answers. */
  get storeError(): unknown {
    return this.#storeError;
  }

  /**
   * Reads the store when the copy is older than `pollMs`. Only the very first read of an
   * asynchronous store returns a promise to wait for; later ones arrive in the background.
   */
  refresh(): Promise<void> | undefined {
    const { store, clock, key, pollMs } = this.#options;
    if (store === undefined) return undefined;
    const at = clock.monotonic();
    if (at < this.#pollAt) return this.#firstRead;
    const first = this.#pollAt === Number.NEGATIVE_INFINITY;
    this.#pollAt = at + pollMs;
    try {
      const read = store.read(key);
      if (!(read instanceof Promise)) {
        this.#learn(read);
        return undefined;
      }
      const learned = this.#capped(read).then(
        (stored) => this.#learn(stored),
        (error: unknown) => this.#lose(error),
      );
      if (first) this.#firstRead = learned.finally(() => (this.#firstRead = undefined));
    } catch (error) {
      this.#lose(error);
    }
    return this.#firstRead;
  }

  /** Applies a change through the store, or to the copy alone while the store is away. */
  apply<T>(change: (record: BreakerRecord, now: number) => Step<T>): MaybePromise<T> {
    const { store, clock, key } = this.#options;
    if (store === undefined || clock.monotonic() < this.#lostUntil) return this.#locally(change);
    let base = this.#record;
    const onNewest = (stored: BreakerRecord | undefined, now: number): Step<T> => {
      base = stored === undefined || isNewer(this.#record, stored) ? this.#record : stored;
      return change(base, now);
    };
    const adopt = (step: Step<T>): T => {
      this.#found();
      this.#adopt(base, "shared");
      this.#adopt(step.record, "local");
      return step.result;
    };
    const alone = (error: unknown): T => {
      this.#lose(error);
      return this.#locally(change);
    };
    let updated: MaybePromise<Step<T>>;
    try {
      updated = store.update(key, onNewest);
    } catch (error) {
      return alone(error);
    }
    return updated instanceof Promise ? this.#capped(updated).then(adopt, alone) : adopt(updated);
  }

  #locally<T>(change: (record: BreakerRecord, now: number) => Step<T>): T {
    const step = change(this.#record, this.#options.clock.now());
    this.#adopt(step.record, "local");
    return step.result;
  }

  #learn(stored: BreakerRecord | undefined): void {
    this.#found();
    if (stored !== undefined && isNewer(stored, this.#record)) {
      this.#adopt(stored, "shared");
      return;
    }
    if (!isNewer(this.#record, stored ?? initialRecord())) return;
    // What was decided alone, while the store was away; `apply` reports its own failure.
    void this.apply((record) => ({ record, result: undefined }));
  }

  #adopt(record: BreakerRecord, origin: ChangeOrigin): void {
    if (!isNewer(record, this.#record)) return;
    const before = this.#record;
    this.#record = record;
    this.#options.onChange(before, record, origin);
  }

  #found(): void {
    if (this.#storeError === undefined) return;
    this.#storeError = undefined;
    this.#lostUntil = Number.NEGATIVE_INFINITY;
    this.#options.onStore(true, undefined);
  }

  #lose(error: unknown): void {
    const first = this.#storeError === undefined;
    this.#storeError = error ?? new BreakerStoreError("The store failed without an error");
    this.#lostUntil = this.#options.clock.monotonic() + this.#options.pollMs;
    if (first) this.#options.onStore(false, this.#storeError);
  }

  #capped<T>(answer: Promise<T>): Promise<T> {
    const { storeTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new BreakerStoreError(`No answer from the store in ${storeTimeoutMs} ms`)),
        storeTimeoutMs,
      );
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
