import { Histogram } from "./histogram.ts";
import type { ResolvedOptions } from "./metrics-options.ts";
import { addCell } from "./reader.ts";
import type { Cell } from "./series.ts";

/** Durations in milliseconds; null when there was none. Percentiles within 1.54 %, rest exact. */
export interface DurationStats {
  count: number;
  averageMs: number | null;
  minMs: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
}

export interface OperationSummary {
  operation: string;
  total: number;
  succeeded: number;
  failed: number;
  ignored: number;
  /** Share of succeeded among succeeded and failed; null when there was neither. */
  successRate: number | null;
  failureRate: number | null;
  /** Runs that took at least the option `slowMs`. */
  slow: number;
  /** How often each outcome came. */
  outcomes: Record<string, number>;
  /** Of all runs but the ignored ones. */
  durations: DurationStats;
}

/** Gathers cells of one operation, or of several, into a summary. */
export class OperationStats {
  readonly #options: ResolvedOptions;
  readonly #histogram = new Histogram();
  readonly #outcomes = new Map<string, number>();
  #succeeded = 0;
  #failed = 0;
  #ignored = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  add(cell: Cell): void {
    this.#count(cell.labels, cell.count);
    const outcomeClass = this.#options.classify(cell.name, cell.labels);
    if (outcomeClass === "ignored") {
      this.#ignored += cell.count;
      return;
    }
    if (outcomeClass === "success") this.#succeeded += cell.count;
    else this.#failed += cell.count;
    addCell(this.#histogram, cell);
  }

  merge(other: OperationStats): void {
    for (const [outcome, count] of other.#outcomes) this.#count(outcome, count);
    this.#succeeded += other.#succeeded;
    this.#failed += other.#failed;
    this.#ignored += other.#ignored;
    this.#histogram.merge(other.#histogram);
  }

  summary(operation: string): OperationSummary {
    const judged = this.#succeeded + this.#failed;
    return {
      operation,
      total: judged + this.#ignored,
      succeeded: this.#succeeded,
      failed: this.#failed,
      ignored: this.#ignored,
      successRate: judged === 0 ? null : this.#succeeded / judged,
      failureRate: judged === 0 ? null : this.#failed / judged,
      slow: this.#histogram.count - this.#histogram.countAtMost(this.#options.slowMs),
      outcomes: Object.fromEntries(this.#outcomes),
      durations: durationStats(this.#histogram),
    };
  }

  #count(outcome: string, times: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + times);
  }
}

function durationStats(histogram: Histogram): DurationStats {
  const { count, sum, min, max } = histogram;
  return {
    count,
    averageMs: count === 0 ? null : sum / count,
    minMs: count === 0 ? null : min,
    p50Ms: histogram.quantile(0.5),
    p95Ms: histogram.quantile(0.95),
    p99Ms: histogram.quantile(0.99),
    maxMs: count === 0 ? null : max,
  };
}
