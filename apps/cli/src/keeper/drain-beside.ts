import { type Clock, HoldfastError } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { KeeperMetrics } from "./keeper-metrics.ts";

/** The part of a pino logger that is used. */
export interface DrainLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DrainBesideDeps {
  memory: Memory;
  metrics: KeeperMetrics;
  logger: DrainLogger;
  clock: Clock;
}

/** Drains the outbox beside the health loop: a hanging store must not hide that it hangs. */
export class DrainBeside {
  readonly #deps: DrainBesideDeps;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #healed = false;
  #fault: { error: unknown } | undefined;

  constructor(deps: DrainBesideDeps) {
    this.#deps = deps;
  }

  /** The store works again: what waits for a later attempt need not wait. */
  healed(): void {
    this.#healed = true;
  }

  /** Starts draining if something is due, and nothing drains yet. @throws a bug that it ran into. */
  tick(serving: boolean): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    const { memory, metrics, clock } = this.#deps;
    const status = memory.status();
    metrics.sample(status);
    if (this.#running !== undefined || !serving) return;
    const { records, unsettled, nextAttemptAt } = status.outbox;
    if (records + unsettled === 0) return;
    if ((nextAttemptAt ?? 0) > clock.now() && !this.#healed) return;
    this.#healed = false;
    this.#running = this.#drain().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the watch ends"));
    await this.#running;
  }

  async #drain(): Promise<void> {
    const { memory, logger } = this.#deps;
    const { signal } = this.#stopping;
    try {
      const report = await memory.drain({ signal });
      if (report.stored + report.dead > 0) logger.info({ ...report }, "drained");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HoldfastError) {
        logger.warn({ error }, "the outbox could not be drained");
      } else {
        this.#fault = { error };
      }
    }
  }
}
