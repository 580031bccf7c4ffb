import type { Clock, HoldfastError } from "@holdfast/core";
import type { MemoryStatus } from "@holdfast/memory";
import type { MetricsStore } from "@holdfast/metrics";
import { recordOutcome } from "../metrics.ts";

/** How often, at most, the gauges are set: the file keeps buckets of this length. */
const SAMPLE_MS = 10_000;
const INCIDENT = "store";

/** What a keeper sees and does, as metrics that outlive it. Nothing here throws. */
export class KeeperMetrics {
  readonly #metrics: MetricsStore;
  readonly #clock: Clock;
  #sampleAt = Number.NEGATIVE_INFINITY;
  /** Undefined before the first evidence: an earlier keeper may have left an incident open. */
  #down: boolean | undefined;

  constructor(metrics: MetricsStore, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** A canary came back, or failed with `error`. `began` is monotonic milliseconds. */
  canary(began: number, error?: HoldfastError): void {
    const outcome = error === undefined ? "success" : "failure";
    recordOutcome(this.#metrics, "store.canary", outcome, this.#clock.monotonic() - began, error);
    this.#metrics.gauge("canary.success", error === undefined ? 1 : 0);
    if (error === undefined) this.#up();
    else this.down(error.message);
  }

  /** The store is known not to serve, from now on until a canary comes back. */
  down(reason: string): void {
    if (this.#down === true) return;
    this.#down = true;
    this.#metrics.gauge("canary.success", 0);
    this.#metrics.lifecycle.incidentOpened(INCIDENT, { reason });
  }

  /** Runs an attempt to heal and records it; undefined from `succeeded` means that none was due. */
  async recovery<T>(
    strategy: string,
    work: () => Promise<T>,
    succeeded: (result: T) => boolean | undefined,
  ): Promise<T> {
    const began = this.#clock.monotonic();
    const record = (outcome: string, data: { reason?: string } = {}): void => {
      const tookMs = this.#clock.monotonic() - began;
      this.#metrics.lifecycle.recoveryAttempt(strategy, outcome, tookMs, data);
    };
    try {
      const result = await work();
      const success = succeeded(result);
      if (success !== undefined) record(success ? "success" : "failure");
      return result;
    } catch (error) {
      record("failure", { reason: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** What waits, now and then. */
  sample({ ledger, outbox }: MemoryStatus): void {
    const now = this.#clock.monotonic();
    if (now < this.#sampleAt) return;
    this.#sampleAt = now + SAMPLE_MS;
    this.#metrics.gauge("queue.depth", outbox.records);
    this.#metrics.gauge("queue.oldest-age-ms", outbox.oldestAgeMs ?? 0);
    this.#metrics.gauge("queue.dead-letters", ledger.dead);
    this.#metrics.gauge("queue.unsettled", outbox.unsettled);
  }

  /** Writes what is left. Before the directory is let go: whoever waits for that may remove it. */
  close(): void {
    this.#metrics.close();
  }

  #up(): void {
    if (this.#down !== false) this.#metrics.lifecycle.incidentClosed(INCIDENT);
    this.#down = false;
  }
}
