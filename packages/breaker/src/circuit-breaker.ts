import { type Clock, type Random, systemClock, systemRandom } from "@holdfast/core";
import { BreakerEmitter, type BreakerEvents, type BreakerListener } from "./breaker-events.ts";
import {
  BreakerDisposedError,
  BreakerOptionError,
  BreakerStoreError,
  BulkheadFullError,
  CircuitOpenError,
} from "./breaker-error.ts";
import { type BreakerExplanation, explainCircuit } from "./breaker-explanation.ts";
import {
  BREAKER_DEFAULTS,
  type BreakerOptions,
  checkTimeout,
  type CircuitOptions,
  resolveCircuitOptions,
} from "./breaker-options.ts";
import type { StateName } from "./breaker-record.ts";
import type { BreakerStateStore } from "./breaker-state-store.ts";
import type { Work } from "./call.ts";
import { Circuit } from "./circuit.ts";

export interface ExecuteOptions {
  /** Selects the operation's own breaker, if it has one. */
  operation?: string;
  /** Ends the call when aborted: its reason is thrown, and the outcome is ignored. */
  signal?: AbortSignal;
  /** Time limit of this call in milliseconds; 0 is none. Default: the circuit's. */
  timeoutMs?: number;
}

export interface BreakerDeps {
  clock?: Clock;
  random?: Random;
  /** Keeps the state beyond this process. Belongs to its creator: `close()` leaves it open. */
  store?: BreakerStateStore;
}

const NO_OPTIONS: ExecuteOptions = {};

/**
 * A circuit breaker: closed, open, half-open. Opossum runs the calls; the state machine is fenced
 * by generations, leases its probes, survives the process with a store, and explains itself.
 * @throws BreakerOptionError from the constructor for an option out of range.
 */
export class CircuitBreaker implements Disposable {
  readonly name: string;
  readonly #parent: Circuit;
  readonly #operations = new Map<string, Circuit>();
  readonly #emitter = new BreakerEmitter();
  readonly #fallback: BreakerOptions["fallback"];

  constructor(options: BreakerOptions, deps: BreakerDeps = {}) {
    this.name = options.name;
    this.#fallback = options.fallback;
    const { operations = {}, ...own } = options;
    checkTimeout(options.pollMs ?? 0, "pollMs");
    checkTimeout(options.storeTimeoutMs ?? 0, "storeTimeoutMs");
    const create = (operation: string | undefined, chosen: CircuitOptions): Circuit =>
      new Circuit({
        breaker: options.name,
        operation,
        enabled: options.enabled ?? BREAKER_DEFAULTS.enabled,
        pollMs: options.pollMs ?? BREAKER_DEFAULTS.pollMs,
        storeTimeoutMs: options.storeTimeoutMs ?? BREAKER_DEFAULTS.storeTimeoutMs,
        rules: resolveCircuitOptions(
          chosen,
          operation === undefined ? "" : `operations.${operation}.`,
        ),
        clock: deps.clock ?? systemClock,
        random: deps.random ?? systemRandom,
        store: deps.store,
        emitter: this.#emitter,
      });
    this.#parent = create(undefined, own);
    for (const [operation, overrides] of Object.entries(operations)) {
      this.#operations.set(operation, create(operation, { ...own, ...overrides }));
    }
  }

  /**
   * Runs `work` if the breaker lets it. The work gets a signal of its own, aborted at the time
   * limit and by the caller's signal.
   * @throws CircuitOpenError when refused; CallTimeoutError at the time limit; BulkheadFullError
   * when every slot is taken; BreakerDisposedError after `close()`; the caller's abort reason;
   * else what `work` threw. With a fallback, what that answers or throws.
   */
  execute<T>(work: Work<T>, options: ExecuteOptions = NO_OPTIONS): Promise<T> {
    const running = this.#run(work, options);
    return this.#fallback === undefined ? running : this.#orFallback(running, options);
  }

  /** The state now, as far as this process knows; an open breaker turns half-open at a call. */
  state(operation?: string): StateName {
    const circuit = this.#current(operation);
    return circuit.setup.enabled ? circuit.shared.record.state : "closed";
  }

  /** Why it is in this state, since when, and what would change it. */
  explain(operation?: string): BreakerExplanation {
    const explanation = explainCircuit(this.#current(operation));
    if (operation !== undefined) return explanation;
    for (const name of this.#operations.keys()) {
      explanation.operations[name] = explainCircuit(this.#current(name));
    }
    return explanation;
  }

  /** Reads an asynchronous store once, so that `state()` and `explain()` know what it knows. */
  async load(): Promise<void> {
    await Promise.all(this.#all().map(async (circuit) => circuit.shared.refresh()));
  }

  /**
   * Turns what is open half-open at once, on evidence from outside that the service has healed.
   * Resolves to whether anything was open; an operator's order stands. Without `operation`: all.
   */
  async probeNow(evidence: string, operation?: string): Promise<boolean> {
    const moved = await this.#each(operation, (circuit) => circuit.probeNow(evidence));
    return moved.includes(true);
  }

  /** Refuses every call until `reset`. Without `operation`: of all operations. */
  async forceOpen(reason: string, operation?: string): Promise<void> {
    await this.#each(operation, (circuit) => circuit.force("open", reason));
  }

  /** Lets every call through, whatever fails, until `reset`. Without `operation`: of all operations. */
  async forceClosed(reason: string, operation?: string): Promise<void> {
    await this.#each(operation, (circuit) => circuit.force("closed", reason));
  }

  /** Decides nothing until `reset`; time limits and the bulkhead still hold. Without `operation`: all. */
  async disable(reason: string, operation?: string): Promise<void> {
    await this.#each(operation, (circuit) => circuit.force("disabled", reason));
  }

  /** Closes, forgets what was counted and lifts every order. Without `operation`: all. */
  async reset(reason: string, operation?: string): Promise<void> {
    await this.#each(operation, (circuit) => circuit.reset(reason));
  }

  /** Listens; returns what ends it. A listener that throws becomes a process warning. */
  on<E extends keyof BreakerEvents>(event: E, listener: BreakerListener<E>): () => void {
    return this.#emitter.on(event, listener);
  }

  /** Refuses further calls and frees timers; running calls end as they would. Idempotent. */
  close(): void {
    for (const circuit of this.#all()) circuit.dispose();
    this.#emitter.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #run<T>(work: Work<T>, options: ExecuteOptions): Promise<T> {
    const circuit = this.#circuit(options.operation);
    if (options.signal === undefined && options.timeoutMs === undefined) {
      return circuit.run(work, undefined);
    }
    return runLimited(circuit, work, options);
  }

  async #orFallback<T>(running: Promise<T>, options: ExecuteOptions): Promise<T> {
    try {
      return await running;
    } catch (error) {
      if (this.#fallback === undefined || !this.#isFallbackDue(error, options)) throw error;
      const { operation } = options;
      const { clock } = this.#parent.setup;
      this.#emitter.emit("fallback", { breaker: this.name, operation, at: clock.now(), error });
      return (await this.#fallback(error, { operation })) as T;
    }
  }

  /** Refusals and failures of the service; neither the caller's fault nor its abort. */
  #isFallbackDue(error: unknown, { operation, signal }: ExecuteOptions): boolean {
    if (error instanceof CircuitOpenError || error instanceof BulkheadFullError) return true;
    if (error instanceof BreakerDisposedError || error instanceof BreakerOptionError) return false;
    return !signal?.aborted && this.#circuit(operation).classify(error) !== "ignored";
  }

  /** The circuit that decides about an operation: its own, else the parent's. */
  #circuit(operation: string | undefined): Circuit {
    if (operation === undefined) return this.#parent;
    return this.#operations.get(operation) ?? this.#parent;
  }

  /** The same, with its copy of the state read again when that is old. */
  #current(operation: string | undefined): Circuit {
    const circuit = this.#circuit(operation);
    void circuit.shared.refresh();
    return circuit;
  }

  #all(): Circuit[] {
    return [this.#parent, ...this.#operations.values()];
  }

  /** Applies an order. @throws BreakerStoreError when only this process could take it in. */
  async #each<T>(
    operation: string | undefined,
    order: (circuit: Circuit) => T | Promise<T>,
  ): Promise<T[]> {
    const chosen = operation === undefined ? this.#all() : [this.#operations.get(operation)];
    const circuits = chosen.filter((circuit) => circuit !== undefined);
    if (circuits.length === 0) {
      throw new BreakerOptionError("operation", "one with a breaker of its own", operation);
    }
    const results = await Promise.all(circuits.map(order));
    const failed = circuits.find(({ shared }) => shared.storeError !== undefined);
    if (failed === undefined) return results;
    throw new BreakerStoreError(
      `The order to "${this.name}" holds in this process only: its store is away`,
      failed.shared.storeError,
    );
  }
}

async function runLimited<T>(
  circuit: Circuit,
  work: Work<T>,
  { signal, timeoutMs = circuit.setup.rules.timeoutMs }: ExecuteOptions,
): Promise<T> {
  checkTimeout(timeoutMs, "timeoutMs");
  signal?.throwIfAborted();
  return circuit.run(work, { signal, timeoutMs });
}
