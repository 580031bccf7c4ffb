import type { Database } from "@holdfast/sqlite";
import type { Buffer } from "./buffer.ts";
import { Histogram } from "./histogram.ts";
import type { Tier } from "./maintenance.ts";
import { type MetricsFile, TOTAL_RESOLUTION_MS } from "./metrics-file.ts";
import {
  type Cell,
  type EventData,
  type MetricsEvent,
  parseLabels,
  parseStored,
  type SeriesKind,
} from "./series.ts";

const READ_BUSY_MS = 2_000;

/** A bucket as stored: a cell and how wide it is. */
export interface StoredCell extends Cell {
  resolutionMs: number;
}

export interface OperationTotal {
  operation: string;
  outcome: string;
  histogram: Histogram;
}

export interface CounterTotal {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface GaugeValue {
  name: string;
  labels: Record<string, string>;
  value: number;
  /** When it was set, in milliseconds since the epoch. */
  atMs: number;
}

/** Everything since the file began. */
export interface Totals {
  operations: OperationTotal[];
  counters: CounterTotal[];
  gauges: GaugeValue[];
}

/** Reads the file together with what is still in memory, should the file have refused it. */
export class MetricsReader {
  readonly #file: MetricsFile;
  readonly #buffer: Buffer;
  readonly #tiers: readonly Tier[];

  constructor(file: MetricsFile, buffer: Buffer, tiers: readonly Tier[]) {
    this.#file = file;
    this.#buffer = buffer;
    this.#tiers = tiers;
  }

  /** Every bucket that overlaps [fromMs, toMs), whatever its resolution. */
  cells(kind: SeriesKind, fromMs: number, toMs: number): StoredCell[] {
    const finest = this.#tiers[0]?.resolutionMs ?? 1;
    const waiting = this.#buffer
      .peek()
      .cells.filter(
        (cell) => cell.kind === kind && cell.startMs > fromMs - finest && cell.startMs < toMs,
      );
    return [
      ...this.#tiers.flatMap(({ resolutionMs }) =>
        this.#fileCells(kind, resolutionMs, fromMs - resolutionMs, toMs),
      ),
      ...waiting.map((cell) => ({ ...cell, resolutionMs: finest })),
    ];
  }

  /** Events with fromMs ≤ time < toMs, oldest first; of all kinds by default. */
  events(fromMs: number, toMs: number, kinds?: readonly string[]): MetricsEvent[] {
    // Read first, understood after: a damaged row makes the whole query begin anew.
    const rows = this.#file.read((db) => eventRows(db, fromMs, toMs, kinds), READ_BUSY_MS) ?? [];
    const stored = rows.map(({ atMs, kind, subject, data }) => ({
      atMs,
      kind,
      subject,
      data: parseStored(data) as EventData,
    }));
    const waiting = this.#buffer
      .peek()
      .events.filter(
        (event) =>
          event.atMs >= fromMs &&
          event.atMs < toMs &&
          (kinds === undefined || kinds.includes(event.kind)),
      );
    return [...stored, ...waiting].toSorted((one, other) => one.atMs - other.atMs);
  }

  totals(): Totals {
    return {
      operations: this.#operationTotals(),
      counters: this.#counterTotals(),
      gauges: this.gauges(),
    };
  }

  /** Every gauge's latest value. */
  gauges(): GaugeValue[] {
    const byKey = new Map<string, GaugeValue>();
    this.#eachTotal("gauge", ({ name, labels, last, lastAtMs }) => {
      if (last === null || lastAtMs === null) return;
      byKey.set(`${name}\n${labels}`, {
        name,
        labels: parseLabels(labels),
        value: last,
        atMs: lastAtMs,
      });
    });
    return [...byKey.values()];
  }

  #operationTotals(): OperationTotal[] {
    const byKey = new Map<string, OperationTotal>();
    this.#eachTotal("operation", (cell) => {
      const key = `${cell.name}\n${cell.labels}`;
      let total = byKey.get(key);
      if (total === undefined) {
        total = { operation: cell.name, outcome: cell.labels, histogram: new Histogram() };
        byKey.set(key, total);
      }
      addCell(total.histogram, cell);
    });
    return [...byKey.values()];
  }

  #counterTotals(): CounterTotal[] {
    const byKey = new Map<string, CounterTotal>();
    this.#eachTotal("counter", ({ name, labels, sum }) => {
      const key = `${name}\n${labels}`;
      const value = (byKey.get(key)?.value ?? 0) + sum;
      byKey.set(key, { name, labels: parseLabels(labels), value });
    });
    return [...byKey.values()];
  }

  #eachTotal(kind: SeriesKind, visit: (cell: Cell) => void): void {
    for (const cell of this.#fileCells(kind, TOTAL_RESOLUTION_MS, -1, 1)) visit(cell);
    for (const cell of this.#buffer.peek().cells) if (cell.kind === kind) visit(cell);
  }

  #fileCells(
    kind: SeriesKind,
    resolutionMs: number,
    afterMs: number,
    beforeMs: number,
  ): StoredCell[] {
    const read = (db: Database): StoredCell[] =>
      db.raw
        .prepare(
          `SELECT kind, name, labels, resolution_ms AS resolutionMs, start_ms AS startMs, count,
            sum, min, max, last, last_at_ms AS lastAtMs, histogram
          FROM bucket JOIN series ON series.id = series_id
          WHERE resolution_ms = ? AND start_ms > ? AND start_ms < ? AND kind = ?
          ORDER BY start_ms, series_id`,
        )
        .all(resolutionMs, afterMs, beforeMs, kind) as unknown as StoredCell[];
    return this.#file.read(read, READ_BUSY_MS) ?? [];
  }
}

/** Merges an operation's cell into a histogram. */
export function addCell(histogram: Histogram, cell: Cell): void {
  if (cell.histogram !== null) histogram.mergeEncoded(cell.histogram, cell);
}

interface EventRow {
  atMs: number;
  kind: string;
  subject: string;
  data: string;
}

function eventRows(
  db: Database,
  fromMs: number,
  toMs: number,
  kinds: readonly string[] | undefined,
): EventRow[] {
  return db.raw
    .prepare(
      `SELECT at_ms AS atMs, kind, subject, data FROM event WHERE at_ms >= ? AND at_ms < ?
        AND (? IS NULL OR kind IN (SELECT value FROM json_each(?))) ORDER BY at_ms, id`,
    )
    .all(
      fromMs,
      toMs,
      kinds === undefined ? null : 1,
      JSON.stringify(kinds ?? []),
    ) as unknown as EventRow[];
}
