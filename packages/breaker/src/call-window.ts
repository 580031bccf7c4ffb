/** Calls in a window, and how many of them were bad; O(1) per call, fixed memory. */
export interface CallWindow {
  /** Adds one call at monotonic time `at`, in milliseconds. */
  add(bad: boolean, at: number): void;
  /** Calls and bad calls still in the window at `at`. */
  counts(at: number): { calls: number; bad: number };
  clear(): void;
}

/** The last `capacity` calls. */
export class CountWindow implements CallWindow {
  readonly #ring: Uint8Array;
  #calls = 0;
  #bad = 0;
  #next = 0;

  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  add(bad: boolean): void {
    if (this.#calls === this.#ring.length) this.#bad -= this.#ring[this.#next] ?? 0;
    else this.#calls++;
    this.#ring[this.#next] = bad ? 1 : 0;
    if (bad) this.#bad++;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  counts(): { calls: number; bad: number } {
    return { calls: this.#calls, bad: this.#bad };
  }

  clear(): void {
    this.#calls = this.#bad = this.#next = 0;
  }
}

const BUCKETS = 10;

/** The calls of the last `windowMs`, to a tenth of it: a call leaves after 0.9 to 1 windows. */
export class TimeWindow implements CallWindow {
  readonly #bucketMs: number;
  readonly #calls = new Float64Array(BUCKETS);
  readonly #bad = new Float64Array(BUCKETS);
  #totalCalls = 0;
  #totalBad = 0;
  #tick = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  add(bad: boolean, at: number): void {
    const slot = this.#advance(at);
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1;
    this.#totalCalls++;
    if (!bad) return;
    this.#bad[slot] = (this.#bad[slot] ?? 0) + 1;
    this.#totalBad++;
  }

  counts(at: number): { calls: number; bad: number } {
    this.#advance(at);
    return { calls: this.#totalCalls, bad: this.#totalBad };
  }

  clear(): void {
    this.#calls.fill(0);
    this.#bad.fill(0);
    this.#totalCalls = this.#totalBad = 0;
  }

  /** Drops the buckets that have left the window; returns the current one's slot. */
  #advance(at: number): number {
    const tick = Math.max(this.#tick, Math.floor(at / this.#bucketMs));
    if (tick - this.#tick >= BUCKETS) this.clear();
    else {
      for (let passed = this.#tick + 1; passed <= tick; passed++) {
        const slot = slotOf(passed);
        this.#totalCalls -= this.#calls[slot] ?? 0;
        this.#totalBad -= this.#bad[slot] ?? 0;
        this.#calls[slot] = this.#bad[slot] = 0;
      }
    }
    this.#tick = tick;
    return slotOf(tick);
  }
}

function slotOf(tick: number): number {
  return ((tick % BUCKETS) + BUCKETS) % BUCKETS;
}
