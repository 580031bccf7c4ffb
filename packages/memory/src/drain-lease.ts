import { type Clock, HoldfastError } from "@holdfast/core";
import type { Journal } from "./journal.ts";

/** A lease that is being renewed, until disposed. */
export interface HeldLease extends Disposable {
  /** Aborts when it has passed to somebody else. */
  lost: AbortSignal;
}

/** This process was silent for longer than its lease, and another drains now. */
class LeaseLostError extends HoldfastError {
  override name = "LeaseLostError";

  constructor() {
    super("Another process has taken over draining", { code: "LEASE_LOST", retryable: true });
  }
}

/** The share of a lease that may be over before it is renewed for what is sent under it. */
const FRESH_SHARE = 0.1;

/** The right to change the store, which one process has at a time. */
export class DrainLease {
  readonly #leaseMs: number;
  readonly #journal: Journal;
  readonly #clock: Clock;
  /** When it was last known to be ours, in monotonic milliseconds. */
  #heldAt = Number.NEGATIVE_INFINITY;

  constructor(leaseMs: number, { journal, clock }: { journal: Journal; clock: Clock }) {
    this.#leaseMs = leaseMs;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Keeps the one held, or takes a new one; undefined when another process has it. */
  take(held: string | undefined): string | undefined {
    if (held !== undefined) return this.#renew(held) ? held : undefined;
    const now = this.#clock.monotonic();
    const token = this.#journal.takeLease(now, this.#leaseMs);
    if (token !== undefined) this.#heldAt = now;
    return token;
  }

  hold(token: string): HeldLease {
    const lost = new AbortController();
    const renewal = setInterval(() => {
      try {
        if (!this.#renew(token)) lost.abort(new LeaseLostError());
      } catch (error) {
        // Whether it is still ours cannot be known: the run ends as any that the file fails.
        lost.abort(error);
      }
    }, this.#leaseMs / 3);
    renewal.unref();
    return { lost: lost.signal, [Symbol.dispose]: () => clearInterval(renewal) };
  }

  /** Whether it is ours, and for long enough: renewed, unless it was a moment ago. */
  isHeldFor(token: string): boolean {
    const isFresh = this.#clock.monotonic() - this.#heldAt < this.#leaseMs * FRESH_SHARE;
    return isFresh ? this.#journal.working.lease.isHeldBy(token) : this.#renew(token);
  }

  /** Before a step that cannot be taken back. @throws HoldfastError `LEASE_LOST`. */
  require(token: string): void {
    if (!this.#renew(token)) throw new LeaseLostError();
  }

  #renew(token: string): boolean {
    const now = this.#clock.monotonic();
    const isOurs = this.#journal.working.lease.renew(token, now, this.#leaseMs);
    if (isOurs) this.#heldAt = now;
    return isOurs;
  }
}
