import type { CircuitBreaker } from "@holdfast/breaker";
import type { Memory } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";
import { closeHalfOpen } from "./circuits.ts";

export interface BreakerTellerDeps {
  breaker: CircuitBreaker;
  memory: Memory;
  store: VectorStore;
  /** Told that a breaker's wait was ended, and the state that it has now. */
  onEnded: (state: string) => void;
}

/** Tells the breaker what was proved to work, so that nobody waits until its own time is over. */
export class BreakerTeller {
  readonly #deps: BreakerTellerDeps;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #fault: { error: unknown } | undefined;

  constructor(deps: BreakerTellerDeps) {
    this.#deps = deps;
  }

  /** A canary came back. @throws a bug that an earlier telling ran into. */
  tell(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    this.#running ??= this.#endWait()
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#fault = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the watch ends"));
    await this.#running;
  }

  async #endWait(): Promise<void> {
    const { breaker, memory, store, onEnded } = this.#deps;
    if (!(await breaker.probeNow("canary"))) return;
    await closeHalfOpen(breaker, memory, store, this.#stopping.signal);
    onEnded(breaker.state());
  }
}
