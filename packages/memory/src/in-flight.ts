/** One piece of work at a time that goes on beside its caller; the next one waits for it. */
export class InFlight {
  #last: Promise<void> = Promise.resolve();

  /** Starts `work` once what was started before has ended. @throws what that has thrown. */
  async start(work: () => Promise<void>): Promise<void> {
    await this.#last;
    this.#last = work();
    // It is thrown where it is awaited.
    this.#last.catch(() => undefined);
  }

  /** @throws what the last work has thrown. */
  async ended(): Promise<void> {
    await this.#last;
  }

  /** The same, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#last]);
  }
}

type Work<T> = (signal: AbortSignal) => Promise<T>;

/** Runs both at once. A failure ends the other, and is thrown once that has ended too. */
export async function together<A, B>(
  signal: AbortSignal,
  [one, other]: [Work<A>, Work<B>],
): Promise<[A, B]> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const ended = <T>(work: Work<T>): Promise<T> =>
    work(both).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const [first, second] = await Promise.allSettled([ended(one), ended(other)]);
  if (first.status === "fulfilled" && second.status === "fulfilled")
    return [first.value, second.value];
  signal.throwIfAborted();
  throw failed.signal.reason;
}
