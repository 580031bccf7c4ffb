import { type Clock, HoldfastError } from "@holdfast/core";
import { SqliteError } from "@holdfast/sqlite";
import type { Buffer } from "./buffer.ts";
import { flushAtExit } from "./exit-flush.ts";
import { MetricsFile } from "./metrics-file.ts";
import type { ResolvedOptions } from "./metrics-options.ts";

/** The part of a pino logger that is used. */
export interface MetricsLogger {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface MetricsStatus {
  path: string;
  /** `idle`: nothing written by this process yet. `failing`: records wait in memory. */
  state: "idle" | "ok" | "failing" | "closed";
  lastFlushAtMs: number | null;
  /** The latest fault, also when it has passed. */
  lastError: { atMs: number; code: string; message: string; hint: string | null } | null;
  /** Records of this process lost because the file could not be written for too long. */
  dropped: number;
  /** Calls of this process that were not recorded: not a number, not a name, or after `close`. */
  rejected: number;
  /** Damaged files that were moved aside, oldest first. */
  setAside: string[];
  sizeBytes: number;
}

const RETRY_MS_MAX = 60_000;
/** A timer's flush must not hold up the host's event loop; it is tried again. */
const TIMER_BUSY_MS = 50;
const LAST_BUSY_MS = 2_000;

/** Takes the buffer to the file: by timer, on demand, at exit and on signals. Never throws. */
export class Flusher {
  readonly file: MetricsFile;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #logger: MetricsLogger | undefined;
  readonly #buffer: Buffer;
  #timer: NodeJS.Timeout | undefined;
  #stopExitFlush: (() => void) | undefined;
  #failures = 0;
  #lastFlushAtMs: number | null = null;
  #lastError: MetricsStatus["lastError"] = null;
  #closed = false;

  constructor(
    options: ResolvedOptions,
    buffer: Buffer,
    clock: Clock,
    logger: MetricsLogger | undefined,
  ) {
    this.#options = options;
    this.#buffer = buffer;
    this.#clock = clock;
    this.#logger = logger;
    this.file = new MetricsFile(options, (movedTo, cause) => this.#setAside(movedTo, cause));
  }

  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Sees to it that what is in the buffer will be written. Cheap when that is so already. */
  arm(): void {
    if (this.#timer !== undefined) return;
    this.#stopExitFlush ??= flushAtExit(() => this.#lastFlush(), this.#options.signals);
    if (this.#options.flushIntervalMs === 0) return;
    const delayMs = Math.min(
      RETRY_MS_MAX,
      this.#options.flushIntervalMs * 2 ** Math.min(this.#failures, 16),
    );
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.flush(TIMER_BUSY_MS)) this.arm();
    }, delayMs);
    this.#timer.unref();
  }

  /** False when the file refused and the records are kept for later. */
  flush(busyTimeoutMs: number = LAST_BUSY_MS): boolean {
    if (this.#closed || this.#buffer.empty) return true;
    const batch = this.#buffer.drain();
    try {
      this.file.write(batch, this.now(), busyTimeoutMs);
      this.#failures = 0;
      this.#lastFlushAtMs = this.now();
      return true;
    } catch (error) {
      // A fault of file or disk may pass; anything else would fail again for ever.
      const mayPass = error instanceof SqliteError;
      if (mayPass) this.#buffer.restore(batch);
      else this.#buffer.discard(batch);
      this.#failures += 1;
      this.fault(error);
      if (this.#failures === 1) {
        const fate = mayPass ? "they are kept in memory for now" : "some were dropped";
        this.#warn(`Metrics cannot be written; ${fate}`, error);
      }
      return !mayPass;
    }
  }

  /** Keeps what went wrong for `status()`. */
  fault(error: unknown): void {
    this.#lastError = {
      atMs: this.now(),
      code: error instanceof HoldfastError ? error.code : "METRICS_UNEXPECTED",
      message: error instanceof Error ? error.message : String(error),
      hint: error instanceof HoldfastError ? (error.hint ?? null) : null,
    };
  }

  status(rejected: number): MetricsStatus {
    const written = this.#lastFlushAtMs === null ? "idle" : "ok";
    const open = this.failing ? "failing" : written;
    return {
      path: this.file.path,
      state: this.#closed ? "closed" : open,
      lastFlushAtMs: this.#lastFlushAtMs,
      lastError: this.#lastError,
      dropped: this.#buffer.dropped,
      rejected,
      setAside: this.file.setAside(),
      sizeBytes: this.file.sizeBytes(),
    };
  }

  /** Idempotent. What cannot be written now is lost, and counted as dropped. */
  close(): void {
    if (this.#closed) return;
    this.#lastFlush();
    this.#buffer.discard(this.#buffer.drain());
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopExitFlush?.();
    this.file.close();
  }

  /** Whole, non-negative milliseconds since the epoch, wherever the clock jumps. */
  now(): number {
    return Math.max(0, Math.floor(this.#clock.now()));
  }

  /** Twice at most: setting a damaged file aside leaves an event for the new one. */
  #lastFlush(): void {
    if (this.flush()) this.flush();
  }

  #setAside(movedTo: string, cause: unknown): void {
    this.fault(cause);
    this.#buffer.addEvent({
      atMs: this.now(),
      kind: "metrics.set-aside",
      subject: "metrics",
      data: { movedTo },
    });
    this.arm();
    this.#warn(`The metrics file was damaged; it is now ${movedTo}, and a new one begins`, cause);
  }

  #warn(message: string, error: unknown): void {
    try {
      this.#logger?.warn({ path: this.file.path, err: error }, message);
    } catch (loggerError) {
      this.fault(loggerError);
    }
  }
}
