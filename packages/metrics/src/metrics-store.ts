import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import { SqliteError } from "@holdfast/sqlite";
import { Buffer } from "./buffer.ts";
import { eventData } from "./event-data.ts";
import { flushAtExit } from "./exit-flush.ts";
import { Lifecycle } from "./lifecycle.ts";
import { MetricsFile } from "./metrics-file.ts";
import { MetricsError } from "./metrics-error.ts";
import { type MetricsOptions, type ResolvedOptions, resolveOptions } from "./metrics-options.ts";
import { MetricsReader, type Totals } from "./reader.ts";
import type { EventData, Labels, MetricsEvent } from "./series.ts";
import { type SloObjective, type SloReport, sloReport } from "./slo.ts";
import { type MetricsSummary, summarise } from "./summary.ts";
import { type Timeline, type TimelineQuery, timelineOf } from "./timeline.ts";
import { type EventQuery, resolveWindow, type Window } from "./window.ts";

/** The part of a pino logger that is used. */
export interface MetricsLogger {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

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

export interface MetricsStatus {
  path: string;
  /** `idle`: nothing written by this process yet. `failing`: records wait in memory. */
  state: "idle" | "ok" | "failing" | "closed";
  lastFlushAtMs: number | null;
  lastError: { atMs: number; code: string; message: string; hint: string | null } | null;
  /** Records of this process lost because the file could not be written for too long. */
  dropped: number;
  /** Calls of this process that were not recorded: not a number, not a name, or after `close`. */
  rejected: number;
  /** Damaged files that were moved aside, oldest first. */
  setAside: string[];
  sizeBytes: number;
}

const NAME_LENGTH_MAX = 200;
const EVENTS_BUFFERED_MAX = 1_000;
const CELLS_BUFFERED_MAX = 4_000;
const SLOW_EVENTS_PER_FLUSH = 20;
const RETRY_MS_MAX = 60_000;
/** A timer's flush must not hold up the host's event loop; it is tried again. */
const TIMER_BUSY_MS = 50;
const LAST_BUSY_MS = 2_000;
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
  readonly #logger: MetricsLogger | undefined;
  readonly #buffer: Buffer;
  readonly #file: MetricsFile;
  readonly #reader: MetricsReader;
  readonly #sinks = new Set<MetricsSink>();
  #timer: NodeJS.Timeout | undefined;
  #stopExitFlush: (() => void) | undefined;
  #failures = 0;
  #slowEventsLeft = SLOW_EVENTS_PER_FLUSH;
  #rejected = 0;
  #lastFlushAtMs: number | null = null;
  #lastError: MetricsStatus["lastError"] = null;
  #closed = false;

  /** Touches no file. @throws MetricsError `METRICS_OPTION_INVALID`. */
  constructor(options: MetricsOptions, deps: MetricsDeps = {}) {
    this.#options = resolveOptions(options);
    this.#clock = deps.clock ?? systemClock;
    this.#logger = deps.logger;
    this.#buffer = new Buffer({
      bucketMs: this.#options.tiers[0]?.resolutionMs ?? 1,
      seriesMax: this.#options.seriesMax,
      cellsMax: CELLS_BUFFERED_MAX,
      eventsMax: EVENTS_BUFFERED_MAX,
    });
    this.#file = new MetricsFile(this.#options, (movedTo, cause) => this.#setAside(movedTo, cause));
    this.#reader = new MetricsReader(this.#file, this.#buffer, this.#options.tiers);
    this.lifecycle = new Lifecycle(this);
  }

  /** Records one run of an operation. A negative duration counts as 0; never throws. */
  record(operation: string, outcome: string, durationMs: number): void {
    if (this.#closed || !isName(operation) || !isName(outcome) || !Number.isFinite(durationMs)) {
      this.#rejected += 1;
      return;
    }
    const duration = durationMs < 0 ? 0 : durationMs;
    this.#buffer.addDuration(operation, outcome, duration, this.#now());
    if (duration >= this.#options.slowMs) this.#slow(operation, outcome, duration);
    if (this.#sinks.size > 0) this.#tell((sink) => sink.record(operation, outcome, duration));
    if (this.#timer === undefined) this.#arm();
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
    this.#buffer.addCount(name, by, labels, this.#now());
    if (this.#sinks.size > 0) this.#tell((sink) => sink.count(name, by, labels));
    if (this.#timer === undefined) this.#arm();
  }

  /** Sets a gauge. Never throws. */
  gauge(name: string, value: number, labels: Labels = NO_LABELS): void {
    if (this.#closed || !isName(name) || !Number.isFinite(value)) {
      this.#rejected += 1;
      return;
    }
    this.#buffer.setGauge(name, value, labels, this.#now());
    if (this.#sinks.size > 0) this.#tell((sink) => sink.gauge(name, value, labels));
    if (this.#timer === undefined) this.#arm();
  }

  /** Records that something happened. Fields that are not plain values are left out; never throws. */
  event(kind: string, subject: string, data: EventData = {}): void {
    if (this.#closed || !isName(kind) || !isName(subject)) {
      this.#rejected += 1;
      return;
    }
    if (this.#buffer.eventCount >= EVENTS_BUFFERED_MAX && this.#failures === 0) this.flush();
    this.#buffer.addEvent({ atMs: this.#now(), kind, subject, data: eventData(data) });
    if (this.#timer === undefined) this.#arm();
  }

  /**
   * Writes what is buffered now; false when the file refused and it is kept for later. Never
   * throws: why is in `status().lastError`.
   */
  flush(): boolean {
    return this.#flush(LAST_BUSY_MS);
  }

  /**
   * Everything about a window in one object, across processes.
   * @throws SqliteError when the file cannot be read; MetricsError `METRICS_WINDOW_INVALID`.
   */
  summary(window: Window = {}): MetricsSummary {
    const nowMs = this.#now();
    const { fromMs, toMs } = resolveWindow(window, nowMs);
    const summary = this.#read(() => summarise(this.#reader, this.#options, fromMs, toMs, nowMs));
    return { ...summary, status: this.status() };
  }

  /** Points over time, for charts and sparklines. @throws as {@link summary}. */
  timeline(query: TimelineQuery = {}): Timeline {
    const nowMs = this.#now();
    const window = resolveWindow(query, nowMs);
    return this.#read(() => {
      const cells = this.#reader.cells("operation", window.fromMs, window.toMs);
      return timelineOf(cells, this.#options, query, window, nowMs);
    });
  }

  /** Attainment, error budget and burn rates of an objective. @throws as {@link summary}. */
  slo(objective: SloObjective): SloReport {
    return this.#read(() => sloReport(this.#reader, this.#options, objective, this.#now()));
  }

  /** Events of a window, oldest first. @throws as {@link summary}. */
  events(query: EventQuery = {}): MetricsEvent[] {
    const { fromMs, toMs } = resolveWindow(query, this.#now());
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
    const written = this.#lastFlushAtMs === null ? "idle" : "ok";
    const open = this.#failures > 0 ? "failing" : written;
    return {
      path: this.#file.path,
      state: this.#closed ? "closed" : open,
      lastFlushAtMs: this.#lastFlushAtMs,
      lastError: this.#lastError,
      dropped: this.#buffer.dropped,
      rejected: this.#rejected,
      setAside: this.#file.setAside(),
      sizeBytes: this.#file.sizeBytes(),
    };
  }

  /** Lets `sink` hear every record from now on; the answer ends it. */
  subscribe(sink: MetricsSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /** Flushes and lets go of file, timer and process listeners. Idempotent; never throws. */
  close(): void {
    if (this.#closed) return;
    this.#lastFlush();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopExitFlush?.();
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #now(): number {
    return Math.max(0, Math.floor(this.#clock.now()));
  }

  /** Reads with what this process recorded; a file whose content proves damaged is replaced. */
  #read<T>(work: () => T): T {
    this.flush();
    try {
      return work();
    } catch (error) {
      if (!(error instanceof MetricsError) || error.code !== "METRICS_DAMAGED") throw error;
      this.#file.replace(error);
      return work();
    }
  }

  /** The caller's error must come out, not one about naming it. */
  #outcomeOf(error: unknown, outcomeOf: (error: unknown) => string): string {
    try {
      return outcomeOf(error);
    } catch (namingError) {
      this.#fault(namingError);
      return "failure";
    }
  }

  #slow(operation: string, outcome: string, durationMs: number): void {
    if (this.#slowEventsLeft <= 0) return;
    this.#slowEventsLeft -= 1;
    this.event("operation.slow", operation, { outcome, durationMs });
  }

  #tell(call: (sink: MetricsSink) => void): void {
    for (const sink of this.#sinks) {
      try {
        call(sink);
      } catch (error) {
        this.#fault(error);
      }
    }
  }

  #arm(): void {
    this.#stopExitFlush ??= flushAtExit(() => this.#lastFlush(), this.#options.signals);
    if (this.#options.flushIntervalMs === 0) return;
    const delayMs = Math.min(
      RETRY_MS_MAX,
      this.#options.flushIntervalMs * 2 ** Math.min(this.#failures, 16),
    );
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#flush(TIMER_BUSY_MS)) this.#arm();
    }, delayMs);
    this.#timer.unref();
  }

  /** Twice at most: setting a damaged file aside leaves an event for the new one. */
  #lastFlush(): void {
    if (this.#flush(LAST_BUSY_MS)) this.#flush(LAST_BUSY_MS);
  }

  #flush(busyTimeoutMs: number): boolean {
    if (this.#closed || this.#buffer.empty) return true;
    const batch = this.#buffer.drain();
    this.#slowEventsLeft = SLOW_EVENTS_PER_FLUSH;
    try {
      this.#file.write(batch, this.#now(), busyTimeoutMs);
      this.#failures = 0;
      this.#lastFlushAtMs = this.#now();
      return true;
    } catch (error) {
      // A fault of file or disk may pass; anything else would fail again for ever.
      const mayPass = error instanceof SqliteError;
      if (mayPass) this.#buffer.restore(batch);
      else this.#buffer.discard(batch);
      this.#failures += 1;
      this.#fault(error);
      if (this.#failures === 1) {
        this.#warn("Metrics cannot be written; they are kept in memory for now", error);
      }
      return !mayPass;
    }
  }

  #setAside(movedTo: string, cause: unknown): void {
    this.#fault(cause);
    this.#warn(`The metrics file was damaged; it is now ${movedTo}, and a new one begins`, cause);
    this.event("metrics.set-aside", "metrics", { movedTo });
  }

  #fault(error: unknown): void {
    this.#lastError = {
      atMs: this.#now(),
      code: error instanceof HoldfastError ? error.code : "METRICS_UNEXPECTED",
      message: error instanceof Error ? error.message : String(error),
      hint: error instanceof HoldfastError ? (error.hint ?? null) : null,
    };
  }

  #warn(message: string, error: unknown): void {
    try {
      this.#logger?.warn({ path: this.#file.path, err: error }, message);
    } catch (loggerError) {
      this.#fault(loggerError);
    }
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= NAME_LENGTH_MAX;
}
