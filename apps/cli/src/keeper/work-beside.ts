/**
 * One piece of work at a time beside a health loop, told to end when the watch does: what hangs in it
 * must not hide from the loop that it hangs.
 */
export class WorkBeside {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #fault: { error: unknown } | undefined;

  /** Whether nothing is under way. @throws what the last work ran into, which is a bug. */
  isFree(): boolean {
    if (this.#fault !== undefined) throw this.#fault.error;
    return this.#running === undefined;
  }

  /**
   * Begins `work` if nothing is under way. What it rejects with because it was told to end is no
   * fault. @throws as `isFree`.
   */
  begin(work: (signal: AbortSignal) => Promise<void>): void {
    if (!this.isFree()) return;
    const { signal } = this.#stopping;
    this.#running = work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#fault = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Tells the work to end, and waits until it has. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the watch ends"));
    await this.#running;
  }
}
