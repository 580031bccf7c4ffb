/**
 * The calls that still use what is about to be closed: closing ends what they wait for, and waits
 * for them. `name` says in errors what was closed.
 */
export class UnderWay {
  readonly #name: string;
  readonly #stop = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Aborted once it is closed. */
  get closed(): AbortSignal {
    return this.#stop.signal;
  }

  /** @throws TypeError once it is closed. */
  requireOpen(): void {
    if (this.#stop.signal.aborted) throw new TypeError(`${this.#name} was closed`);
  }

  /** Runs a call that {@link close} waits for. @throws TypeError once it is closed. */
  async track<T>(call: () => Promise<T>): Promise<T> {
    this.requireOpen();
    const work = call();
    this.#calls.add(work);
    try {
      return await work;
    } finally {
      this.#calls.delete(work);
    }
  }

  /** Aborted when `signal` is, and once it is closed. */
  until(signal: AbortSignal | undefined): AbortSignal {
    if (signal === undefined) return this.#stop.signal;
    return AbortSignal.any([this.#stop.signal, signal]);
  }

  /** Resolves when no call is under way any more. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new Error(`${this.#name} was closed`));
    await Promise.allSettled(this.#calls);
  }
}
