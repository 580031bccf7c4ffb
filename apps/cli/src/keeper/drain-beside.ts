import { type Clock, HoldfastError } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { KeeperMetrics } from "./keeper-metrics.ts";
import { WorkBeside } from "./work-beside.ts";

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
  readonly #beside = new WorkBeside();
  #healed = false;

  constructor(deps: DrainBesideDeps) {
    this.#deps = deps;
  }

  /** The store works again: what waits for a later attempt need not wait. */
  healed(): void {
    this.#healed = true;
  }

  /** Begins to drain if something is due, and nothing drains yet. @throws a bug that it ran into. */
  tick(serving: boolean): void {
    const { memory, metrics, clock } = this.#deps;
    const status = memory.status();
    metrics.sample(status);
    if (!this.#beside.isFree() || !serving) return;
    const { records, unsettled, nextAttemptAt } = status.outbox;
    if (records + unsettled === 0) return;
    if ((nextAttemptAt ?? 0) > clock.now() && !this.#healed) return;
    this.#healed = false;
    this.#beside.begin((signal) => this.#drain(signal));
  }

  stop(): Promise<void> {
    return this.#beside.stop();
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { memory, logger } = this.#deps;
    try {
      const report = await memory.drain({ signal });
      if (report.stored + report.dead > 0) logger.info({ ...report }, "drained");
    } catch (error) {
      if (signal.aborted || !(error instanceof HoldfastError)) throw error;
      logger.warn({ error }, "the outbox could not be drained");
    }
  }
}
