import { Histogram } from "./histogram.ts";
import {
  type Cell,
  type Labels,
  labelsKey,
  type MetricsEvent,
  operationCell,
  OVERFLOW_NAME,
} from "./series.ts";

export interface BufferLimits {
  /** Width of a time bucket, in milliseconds. */
  bucketMs: number;
  /** Series held between two flushes; later ones are counted under `_other`. */
  seriesMax: number;
  /** Closed time buckets that wait for the file; beyond it the oldest are dropped. */
  cellsMax: number;
  /** Events that wait for the file; beyond it the oldest are dropped. */
  eventsMax: number;
  /** Slow runs kept as events between two flushes; later ones are left out. */
  slowEventsMax: number;
}

export interface Batch {
  cells: Cell[];
  events: MetricsEvent[];
}

interface OperationCell {
  startMs: number;
  histogram: Histogram;
}

type ValueCell = Cell & { kind: "counter" | "gauge" };

/** What was recorded and is not in the file yet. Bounded; counts what it had to drop. */
export class Buffer {
  /** Records and events that were dropped because the file could not be written for too long. */
  dropped = 0;
  readonly #limits: BufferLimits;
  readonly #operations = new Map<string, Map<string, OperationCell>>();
  readonly #values = new Map<string, ValueCell>();
  #operationSeries = 0;
  #slowEvents = 0;
  #closed: Cell[] = [];
  #events: MetricsEvent[] = [];

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  get empty(): boolean {
    return (
      this.#operationSeries + this.#values.size + this.#closed.length + this.#events.length === 0
    );
  }

  get eventCount(): number {
    return this.#events.length;
  }

  /** The hot path: two look-ups and an increment. */
  addDuration(operation: string, outcome: string, durationMs: number, nowMs: number): void {
    const startMs = nowMs - (nowMs % this.#limits.bucketMs);
    let cell = this.#operations.get(operation)?.get(outcome);
    if (cell?.startMs !== startMs) cell = this.#openOperation(operation, outcome, startMs);
    cell.histogram.add(durationMs);
  }

  addCount(name: string, by: number, labels: Labels | undefined, nowMs: number): void {
    addValue(this.#value("counter", name, labels, nowMs), by);
  }

  setGauge(name: string, value: number, labels: Labels | undefined, nowMs: number): void {
    const cell = this.#value("gauge", name, labels, nowMs);
    addValue(cell, value);
    cell.last = value;
    cell.lastAtMs = nowMs;
  }

  addEvent(event: MetricsEvent): void {
    this.#events.push(event);
    this.#bound();
  }

  addSlowEvent(event: MetricsEvent): void {
    if (this.#slowEvents >= this.#limits.slowEventsMax) return;
    this.#slowEvents += 1;
    this.addEvent(event);
  }

  /** Takes everything out, for a flush. */
  drain(): Batch {
    const batch = this.peek();
    this.#operations.clear();
    this.#operationSeries = 0;
    this.#slowEvents = 0;
    this.#values.clear();
    this.#closed = [];
    this.#events = [];
    return batch;
  }

  /** Everything, left in place. */
  peek(): Batch {
    const cells = [...this.#closed];
    for (const [operation, outcomes] of this.#operations) {
      for (const [outcome, { startMs, histogram }] of outcomes) {
        cells.push(operationCell(operation, outcome, startMs, histogram));
      }
    }
    for (const cell of this.#values.values()) cells.push({ ...cell });
    return { cells, events: [...this.#events] };
  }

  /** Puts back what a flush could not write, before anything recorded since. */
  restore(batch: Batch): void {
    this.#closed = [...batch.cells, ...this.#closed];
    this.#events = [...batch.events, ...this.#events];
    this.#bound();
  }

  /** Counts a batch as dropped: it can never be written. */
  discard(batch: Batch): void {
    this.dropped += batch.events.length;
    for (const cell of batch.cells) this.dropped += cell.count;
  }

  #openOperation(operation: string, outcome: string, startMs: number): OperationCell {
    const outcomes = this.#operations.get(operation);
    const existing = outcomes?.get(outcome);
    if (existing === undefined) {
      if (this.#operationSeries >= this.#limits.seriesMax && operation !== OVERFLOW_NAME) {
        return this.#overflowOperation(startMs);
      }
      this.#operationSeries += 1;
    } else {
      this.#closed.push(operationCell(operation, outcome, existing.startMs, existing.histogram));
      this.#bound();
    }
    const cell = { startMs, histogram: new Histogram() };
    if (outcomes === undefined) this.#operations.set(operation, new Map([[outcome, cell]]));
    else outcomes.set(outcome, cell);
    return cell;
  }

  #overflowOperation(startMs: number): OperationCell {
    const cell = this.#operations.get(OVERFLOW_NAME)?.get(OVERFLOW_NAME);
    if (cell?.startMs === startMs) return cell;
    return this.#openOperation(OVERFLOW_NAME, OVERFLOW_NAME, startMs);
  }

  #value(
    kind: "counter" | "gauge",
    name: string,
    labels: Labels | undefined,
    nowMs: number,
  ): ValueCell {
    const startMs = nowMs - (nowMs % this.#limits.bucketMs);
    const key = valueKey(kind, name, labels);
    const cell = this.#values.get(key);
    if (cell?.startMs === startMs) return cell;
    if (cell === undefined && this.#values.size >= this.#limits.seriesMax) {
      return this.#openValue(
        valueKey(kind, OVERFLOW_NAME, undefined),
        kind,
        OVERFLOW_NAME,
        "",
        startMs,
      );
    }
    return this.#openValue(key, kind, name, labelsKey(labels), startMs);
  }

  #openValue(
    key: string,
    kind: "counter" | "gauge",
    name: string,
    labels: string,
    startMs: number,
  ): ValueCell {
    const existing = this.#values.get(key);
    if (existing?.startMs === startMs) return existing;
    if (existing !== undefined) {
      this.#closed.push(existing);
      this.#bound();
    }
    const cell = emptyValueCell(kind, name, labels, startMs);
    this.#values.set(key, cell);
    return cell;
  }

  #bound(): void {
    const cells = this.#closed.length - this.#limits.cellsMax;
    if (cells > 0) {
      for (const cell of this.#closed.splice(0, cells)) this.dropped += cell.count;
    }
    const events = this.#events.length - this.#limits.eventsMax;
    if (events > 0) this.dropped += this.#events.splice(0, events).length;
  }
}

/**
 * Quick rather than canonical: the same labels in another order make another cell of the same
 * series, and the file adds the two up.
 */
function valueKey(kind: "counter" | "gauge", name: string, labels: Labels | undefined): string {
  let key = kind === "counter" ? `c${name}` : `g${name}`;
  for (const label in labels) {
    const value: unknown = labels[label];
    if (typeof value === "string") key += `\n${label}\n${value}`;
    else if (typeof value === "number" || typeof value === "boolean") {
      key += `\n${label}\n${String(value)}`;
    }
  }
  return key;
}

function addValue(cell: ValueCell, value: number): void {
  cell.count += 1;
  cell.sum += value;
  cell.min = Math.min(cell.min, value);
  cell.max = Math.max(cell.max, value);
}

function emptyValueCell(
  kind: "counter" | "gauge",
  name: string,
  labels: string,
  startMs: number,
): ValueCell {
  return {
    kind,
    name,
    labels,
    startMs,
    count: 0,
    sum: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    last: null,
    lastAtMs: null,
    histogram: null,
  };
}
