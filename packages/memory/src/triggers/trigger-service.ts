import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "@holdfast/core";
import type { Memory } from "../memory.ts";
import type { NewMemory } from "../memory-record.ts";
import { createRedactor, type Redactor } from "../redaction/redactor.ts";
import { type Redact, redactedCut } from "./cut.ts";
import { MergeWindow } from "./merge-window.ts";
import { type RateLimit, RateLimiter } from "./rate-limit.ts";
import {
  memoryOfEvent,
  TRIGGER_BOUNDS,
  type RaisedEvent,
  type TriggerBounds,
  type TriggerDecider,
  type TriggerDecision,
  type TriggerEvent,
  type TriggerType,
} from "./trigger-event.ts";

export interface TriggerOptions extends Partial<TriggerBounds> {
  /** False: nothing is captured. Default true. */
  enabled?: boolean;
  /** Written with one commit: so many at most, at least 1. Default 64. */
  batchMax?: number;
  /** How long a batch waits for more, in milliseconds. Default 0: till the event loop turns. */
  batchWaitMs?: number;
  /** What says the same again within so many milliseconds is counted, not added. Default 1 min; 0: off. */
  mergeWindowMs?: number;
  /** By type. Default: no limits. */
  limits?: Readonly<Partial<Record<TriggerType, RateLimit>>>;
  /** Lifetime of what is captured, in milliseconds; a decision's own goes first. Default: no end. */
  ttlMs?: number;
}

export const TRIGGER_DEFAULTS: { batchMax: number; batchWaitMs: number; mergeWindowMs: number } = {
  batchMax: 64,
  batchWaitMs: 0,
  mergeWindowMs: 60_000,
};

export interface TriggerDeps {
  /** The memory that is written to; it should be a redacted one. */
  memory: Pick<Memory, "addMany">;
  /** Takes the secrets out of what is cut, before it is. Default: one without own patterns. */
  redactor?: Redactor;
  /** Default: everything is captured. */
  decider?: TriggerDecider;
  clock?: Clock;
  /** Told what a capture failed with, which nobody else is. Default: only counted. */
  onError?: (error: unknown) => void;
}

/** What became of the events of this process. */
export interface TriggerStatus {
  raised: number;
  /** In the outbox, merged ones included. */
  captured: number;
  /** Of these, how many were counted with one captured before. */
  merged: number;
  declined: number;
  limited: number;
  /** Too short. */
  skipped: number;
  /** Waiting for their batch, or for the outbox to take it. */
  pending: number;
  /** Lost: too many were waiting, or the outbox refused them. */
  failed: number;
  lastError: string | undefined;
}

const PENDING_MAX = 10_000;
const CAPTURE: TriggerDecision = { capture: true };

/**
 * Turns events into memories. It never throws, never waits, and never makes its caller wait: what
 * cannot be captured is counted in `status()`.
 */
export class TriggerService implements AsyncDisposable {
  readonly #options: TriggerOptions;
  readonly #bounds: TriggerBounds;
  readonly #batchMax: number;
  readonly #deps: TriggerDeps;
  readonly #clock: Clock;
  readonly #redact: Redact;
  readonly #limiter: RateLimiter;
  readonly #window: MergeWindow;
  readonly #pending = new Map<string, NewMemory>();
  /** Of the batches that were handed over and are not written yet. */
  #handedOver = 0;
  /** Set within a capture, whose own calls must not be captured. */
  readonly #capturing = new AsyncLocalStorage<true>();
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #counts = {
    raised: 0,
    captured: 0,
    merged: 0,
    declined: 0,
    limited: 0,
    skipped: 0,
    failed: 0,
  };
  #lastError: string | undefined;

  constructor(options: TriggerOptions, deps: TriggerDeps) {
    this.#options = options;
    const { textLengthMin, textLengthMax } = { ...TRIGGER_BOUNDS, ...options };
    this.#bounds = { textLengthMin, textLengthMax };
    this.#batchMax = Math.max(1, options.batchMax ?? TRIGGER_DEFAULTS.batchMax);
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    const redactor = deps.redactor ?? createRedactor();
    this.#redact = (text) => redactor.redact(text).text;
    this.#limiter = new RateLimiter(options.limits ?? {});
    this.#window = new MergeWindow(
      options.mergeWindowMs ?? TRIGGER_DEFAULTS.mergeWindowMs,
      randomUUID,
    );
  }

  /** Notes an event. Returns at once whether it is on its way into the outbox. */
  raise(event: TriggerEvent): boolean {
    if (this.#options.enabled === false || this.#capturing.getStore()) return false;
    this.#counts.raised += 1;
    try {
      return this.#raise(event);
    } catch (error) {
      this.#fail(1, error);
      return false;
    }
  }

  /** What is kept of a part of an event: without its secrets if it has to be cut. */
  brief(text: string, lengthMax: number): string {
    return redactedCut(text, lengthMax, this.#redact);
  }

  status(): TriggerStatus {
    return { ...this.#counts, pending: this.#waiting(), lastError: this.#lastError };
  }

  /** Writes what waits, and resolves when all of it is in the outbox or has failed. */
  async flush(): Promise<void> {
    while (this.#pending.size > 0) this.#write();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  #raise(event: TriggerEvent): boolean {
    const decision = this.#decide(event);
    if (!decision.capture) {
      this.#counts.declined += 1;
      return false;
    }
    if (!this.#limiter.pass(event.type, this.#clock.monotonic())) {
      this.#counts.limited += 1;
      return false;
    }
    const { ttlMs } = this.#options;
    const lifetime = decision.ttlMs ?? ttlMs;
    const kept = lifetime === undefined ? decision : { ...decision, ttlMs: lifetime };
    const made = memoryOfEvent(event, kept, this.#bounds, this.#redact);
    if (made === undefined) {
      this.#counts.skipped += 1;
      return false;
    }
    return this.#enqueue(made);
  }

  /** A decider that fails does not decide. */
  #decide(event: TriggerEvent): TriggerDecision {
    const { decider } = this.#deps;
    if (decider === undefined) return CAPTURE;
    try {
      return decider.decide(raised(event, this.#clock.now()));
    } catch (error) {
      this.#tell(error);
      return CAPTURE;
    }
  }

  #enqueue(made: NewMemory): boolean {
    const { memory, repeated } = this.#window.merge(made, this.#clock.monotonic());
    const waiting = this.#pending.has(memory.id);
    if (!waiting && this.#waiting() >= PENDING_MAX) {
      this.#fail(1, new Error(`${PENDING_MAX} events already wait for the outbox`));
      return false;
    }
    this.#pending.set(memory.id, memory);
    if (repeated) this.#counts.merged += 1;
    // One that still waits is counted when it is written.
    if (waiting) this.#counts.captured += 1;
    if (this.#pending.size >= this.#batchMax) this.#write();
    else this.#schedule();
    return true;
  }

  #waiting(): number {
    return this.#pending.size + this.#handedOver;
  }

  #schedule(): void {
    if (this.#cancelWrite !== undefined) return;
    const waitMs = this.#options.batchWaitMs ?? TRIGGER_DEFAULTS.batchWaitMs;
    const write = (): void => this.#write();
    if (waitMs === 0) {
      const turn = setImmediate(write);
      this.#cancelWrite = () => clearImmediate(turn);
    } else {
      const timer = setTimeout(write, waitMs);
      this.#cancelWrite = () => clearTimeout(timer);
    }
  }

  #write(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    const batch = [...this.#pending.values()].slice(0, this.#batchMax);
    for (const { id } of batch) this.#pending.delete(id as string);
    if (this.#pending.size > 0) this.#schedule();
    this.#handedOver += batch.length;
    // In order: a repetition must not be overtaken by what it repeats.
    this.#writing = this.#writing
      .then(() => this.#capturing.run(true, () => this.#add(batch)))
      .then(() => void (this.#handedOver -= batch.length));
  }

  async #add(batch: readonly NewMemory[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#deps.memory.addMany(batch, { waitMs: 0 });
      this.#counts.captured += batch.length;
    } catch (error) {
      const code = (error as { code?: unknown } | null | undefined)?.code;
      const alone = code === "MEMORY_INVALID" || code === "POLICY_ABORTED";
      // One that cannot be stored, or that a policy stops, must not take the others with it.
      // oxlint-disable-next-line no-await-in-loop
      if (alone && batch.length > 1) for (const memory of batch) await this.#add([memory]);
      else if (code === "POLICY_ABORTED") this.#counts.declined += 1;
      else this.#fail(batch.length, error);
    }
  }

  #fail(events: number, error: unknown): void {
    this.#counts.failed += events;
    this.#tell(error);
  }

  #tell(error: unknown): void {
    this.#lastError = error instanceof Error ? error.message : String(error);
    try {
      this.#deps.onError?.(error);
    } catch (thrown) {
      this.#lastError = `onError threw: ${String(thrown)}`;
    }
  }
}

/** As the decider sees it; what is costly to say, a text, is said only if it is asked for. */
function raised(event: TriggerEvent, at: number): RaisedEvent {
  const copy: { -readonly [K in keyof RaisedEvent]: RaisedEvent[K] } = {
    id: randomUUID(),
    at,
    type: event.type,
    scope: event.scope ?? {},
    get text() {
      return event.text;
    },
  };
  const { outcome, durationMs, tags, source, priority, metadata, context } = event;
  if (outcome !== undefined) copy.outcome = outcome;
  if (durationMs !== undefined) copy.durationMs = durationMs;
  if (tags !== undefined) copy.tags = tags;
  if (source !== undefined) copy.source = source;
  if (priority !== undefined) copy.priority = priority;
  if (metadata !== undefined) copy.metadata = metadata;
  if (context !== undefined) copy.context = context;
  return copy;
}
