import type { CircuitBreaker } from "@holdfast/breaker";
import type { Memory } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";
import { closeHalfOpen } from "./circuits.ts";
import { WorkBeside } from "./work-beside.ts";

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
  readonly #beside = new WorkBeside();

  constructor(deps: BreakerTellerDeps) {
    this.#deps = deps;
  }

  /** A canary came back. @throws a bug that an earlier telling ran into. */
  tell(): void {
    this.#beside.begin((signal) => this.#endWait(signal));
  }

  stop(): Promise<void> {
    return this.#beside.stop();
  }

  async #endWait(signal: AbortSignal): Promise<void> {
    const { breaker, memory, store, onEnded } = this.#deps;
    if (!(await breaker.probeNow("canary"))) return;
    await closeHalfOpen(breaker, memory, store, signal);
    onEnded(breaker.state());
  }
}
