import { type Clock, systemClock } from "@holdfast/core";
import { Buffer } from "./buffer.ts";
import { eventData } from "./event-data.ts";
import { Flusher, type MetricsLogger, type MetricsStatus } from "./flusher.ts";
import { EVENT_KINDS, Lifecycle } from "./lifecycle.ts";
import { MetricsError } from "./metrics-error.ts";
import { type MetricsOptions, type ResolvedOptions, resolveOptions } from "./metrics-options.ts";
import { MetricsReader, type Totals } from "./reader.ts";
import type { EventData, Labels, MetricsEvent } from "./series.ts";
import { type SloObjective, type SloReport, sloReport } from "./slo.ts";
import { type MetricsSummary, summarise } from "./summary.ts";
import { type Timeline, type TimelineQuery, timelineOf } from "./timeline.ts";
import { type EventQuery, resolveWindow, type Window } from "./window.ts";

export interface MetricsDeps {
  /** Default: the system's. Its wall clock may jump. */
  clock?: Clock;
  /** Told once when the file begins to fail, and when a damaged one is set aside. */
  logger?: MetricsLogger;
}

/** Hears every accepted record as it is made; what it throws is kept in `status()`. */
export interface MetricsSink {
  record(operation: string, outcome: string, durationMs: number): void;
  count(name: string, by: number, labels: Labels): void;
  gauge(name: string, value: number, labels: Labels): void;
}

const NAME_LENGTH_MAX = 200;
const EVENTS_BUFFERED_MAX = 1_000;
const CELLS_BUFFERED_MAX = 4_000;
/** Slow runs kept one by one between two flushes; the rest are only counted. */
const SLOW_EVENTS_MAX = 20;
const NO_LABELS: Labels = Object.freeze({});

/**
 * A small durable metrics store. Recording buffers in memory and never throws; the buffer is
 * written in batches, when the process exits, and on SIGTERM. Several processes may share a file.
 */
export class MetricsStore implements Disposable {
  /** Writes well-known events: breaker transitions, recoveries, incidents, deployments, backups. */
  readonly lifecycle: Lifecycle;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #buffer: Buffer;
  readonly #flusher: Flusher;
  readonly #reader: MetricsReader;
  readonly #sinks = new Set<MetricsSink>();
  #rejected = 0;
  #closed = false;

  /** Touches no file. @throws MetricsError `METRICS_OPTION_INVALID`. */
  constructor(options: MetricsOptions, deps: MetricsDeps = {}) {
    this.#options = resolveOptions(options);
    this.#clock = deps.clock ?? systemClock;
    this.#buffer = new Buffer({
      bucketMs: this.#options.tiers[0]?.resolutionMs ?? 1,
      seriesMax: this.#options.seriesMax,
      cellsMax: CELLS_BUFFERED_MAX,
      eventsMax: EVENTS_BUFFERED_MAX,
      slowEventsMax: SLOW_EVENTS_MAX,
    });
    this.#flusher = new Flusher(this.#options, this.#buffer, this.#clock, deps.logger);
    this.#reader = new MetricsReader(this.#flusher.file, this.#buffer, this.#options.tiers);
    this.lifecycle = new Lifecycle(this);
  }

  /** Records one run of an operation. A negative duration counts as 0; never throws. */
  record(operation: string, outcome: string, durationMs: number): void {
    if (this.#closed || !isName(operation) || !isName(outcome) || !Number.isFinite(durationMs)) {
      this.#rejected += 1;
      return;
    }
    const duration = durationMs < 0 ? 0 : durationMs;
    this.#buffer.addDuration(operation, outcome, duration, this.#flusher.now());
    if (duration >= this.#options.slowMs) this.#slow(operation, outcome, duration);
    if (this.#sinks.size > 0) this.#tell((sink) => sink.record(operation, outcome, duration));
    this.#flusher.arm();
  }

  /**
   * Runs `work` and records it under `success`, or under what `outcomeOf` makes of the error
   * (default `failure`). Result and error are untouched.
   */
  async time<T>(
    operation: string,
    work: () => T | Promise<T>,
    outcomeOf: (error: unknown) => string = () => "failure",
  ): Promise<T> {
    const startedMs = this.#clock.monotonic();
    try {
      const result = await work();
      this.record(operation, "success", this.#clock.monotonic() - startedMs);
      return result;
    } catch (error) {
      const durationMs = this.#clock.monotonic() - startedMs;
      this.record(operation, this.#outcomeOf(error, outcomeOf), durationMs);
      throw error;
    }
  }

  /** Adds to a counter; `by` is finite and not negative. Never throws. */
  count(name: string, by = 1, labels: Labels = NO_LABELS): void {
    if (this.#closed || !isName(name) || !Number.isFinite(by) || by < 0) {
      this.#rejected += 1;
      return;
    }
    this.#buffer.addCount(name, by, labels, this.#flusher.now());
    if (this.#sinks.size > 0) this.#tell((sink) => sink.count(name, by, labels));
    this.#flusher.arm();
  }

  /** Sets a gauge. Never throws. */
  gauge(name: string, value: number, labels: Labels = NO_LABELS): void {
    if (this.#closed || !isName(name) || !Number.isFinite(value)) {
      this.#rejected += 1;
      return;
    }
    this.#buffer.setGauge(name, value, labels, this.#flusher.now());
    if (this.#sinks.size > 0) this.#tell((sink) => sink.gauge(name, value, labels));
    this.#flusher.arm();
  }

  /** Records that something happened. Fields that are not plain values are left out; never throws. */
  event(kind: string, subject: string, data: EventData = {}): void {
    if (this.#closed || !isName(kind) || !isName(subject)) {
      this.#rejected += 1;
      return;
    }
    if (this.#buffer.eventCount >= EVENTS_BUFFERED_MAX && !this.#flusher.failing) this.flush();
    this.#buffer.addEvent({ atMs: this.#flusher.now(), kind, subject, data: eventData(data) });
    this.#flusher.arm();
  }

  /**
   * Writes what is buffered now; false when the file refused and it is kept for later. Never
   * throws: why is in `status().lastError`.
   */
  flush(): boolean {
    return this.#flusher.flush();
  }

  /**
   * Everything about a window in one object, across processes.
   * @throws SqliteError when the file cannot be read; MetricsError `METRICS_WINDOW_INVALID`.
   */
  summary(window: Window = {}): MetricsSummary {
    const nowMs = this.#flusher.now();
    const { fromMs, toMs } = resolveWindow(window, nowMs);
    const summary = this.#read(() => summarise(this.#reader, this.#options, fromMs, toMs, nowMs));
    return { ...summary, status: this.status() };
  }

  /** Points over time, for charts and sparklines. @throws as {@link summary}. */
  timeline(query: TimelineQuery = {}): Timeline {
    const nowMs = this.#flusher.now();
    const window = resolveWindow(query, nowMs);
    return this.#read(() => {
      const cells = this.#reader.cells("operation", window.fromMs, window.toMs);
      return timelineOf(cells, this.#options, query, window, nowMs);
    });
  }

  /** Attainment, error budget and burn rates of an objective. @throws as {@link summary}. */
  slo(objective: SloObjective): SloReport {
    return this.#read(() => sloReport(this.#reader, this.#options, objective, this.#flusher.now()));
  }

  /** Events of a window, oldest first. @throws as {@link summary}. */
  events(query: EventQuery = {}): MetricsEvent[] {
    const { fromMs, toMs } = resolveWindow(query, this.#flusher.now());
    const events = this.#read(() => this.#reader.events(fromMs, toMs, query.kinds));
    return query.limit === undefined
      ? events
      : events.slice(Math.max(0, events.length - query.limit));
  }

  /** Totals since the file began, across processes, for exporters. @throws as {@link summary}. */
  totals(): Totals {
    return this.#read(() => this.#reader.totals());
  }

  /** Whether records reach the file, and what went wrong if not. */
  status(): MetricsStatus {
    return this.#flusher.status(this.#rejected);
  }

  /** Lets `sink` hear every record from now on; the answer ends it. */
  subscribe(sink: MetricsSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /** Flushes and lets go of file, timer and process listeners. Idempotent; never throws. */
  close(): void {
    this.#closed = true;
    this.#flusher.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads with what this process recorded; a file whose content proves damaged is replaced. */
  #read<T>(work: () => T): T {
    this.flush();
    try {
      return work();
    } catch (error) {
      if (!(error instanceof MetricsError) || error.code !== "METRICS_DAMAGED") throw error;
      this.#flusher.file.replace(error);
      return work();
    }
  }

  /** The caller's error must come out, not one about naming it. */
  #outcomeOf(error: unknown, outcomeOf: (error: unknown) => string): string {
    try {
      return outcomeOf(error);
    } catch (namingError) {
      this.#flusher.fault(namingError);
      return "failure";
    }
  }

  #slow(operation: string, outcome: string, durationMs: number): void {
    const data = { outcome, durationMs };
    const atMs = this.#flusher.now();
    this.#buffer.addSlowEvent({ atMs, kind: EVENT_KINDS.slowOperation, subject: operation, data });
  }

  #tell(call: (sink: MetricsSink) => void): void {
    for (const sink of this.#sinks) {
      try {
        call(sink);
      } catch (error) {
        this.#flusher.fault(error);
      }
    }
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= NAME_LENGTH_MAX;
}
