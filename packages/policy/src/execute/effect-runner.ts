import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import type { Effect } from "../evaluation.ts";
import { PolicyError } from "../policy-error.ts";
import type { PolicyEvent } from "../policy-event.ts";
import type { ActionParameters, EffectAction } from "../rule.ts";

export type EffectType = EffectAction["type"];

export interface EffectContext {
  event: PolicyEvent;
  effect: Effect;
  /** Aborted at the action's `timeout`, or when the runner is closed. */
  signal: AbortSignal;
}

/** Does what one type of action says; resolves to what there is to tell about it. */
export type EffectHandler<T extends EffectType> = (
  parameters: ActionParameters[T],
  context: EffectContext,
) => Promise<unknown>;

export type EffectHandlers = { readonly [T in EffectType]: EffectHandler<T> };

export interface EffectReport {
  rule: string;
  type: EffectType;
  index: number;
  key: string;
  outcome: "done" | "failed";
  /** Whether it ran beside the rest. */
  async: boolean;
  attempts: number;
  durationMs: number;
  /** What the handler told. */
  result?: unknown;
  error?: Error;
}

const RETRY_DELAY_MS = 1_000;
const TIMEOUT_MS = 30_000;
/** With so many under way, the next waits its turn as one that is not asynchronous would. */
const ASYNC_MAX = 64;

/**
 * Runs effects: each with its retries and time limit, in order, or beside the rest. Never throws:
 * what `onReport` throws becomes a process warning.
 */
export class EffectRunner {
  readonly #handlers: EffectHandlers;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<EffectReport>>();
  readonly #onReport: (report: EffectReport) => void;

  constructor(
    handlers: EffectHandlers,
    deps: { clock?: Clock; onReport?: (report: EffectReport) => void } = {},
  ) {
    this.#handlers = handlers;
    this.#clock = deps.clock ?? systemClock;
    this.#onReport = deps.onReport ?? (() => undefined);
  }

  /** Resolves when all but the asynchronous ones are done; `onReport` is told of each. */
  async run(effects: readonly Effect[], event: PolicyEvent): Promise<EffectReport[]> {
    const reports: EffectReport[] = [];
    for (const effect of effects) {
      const beside = effect.action.async_execution === true && this.#underWay.size < ASYNC_MAX;
      const work = this.#perform(effect, event, beside);
      if (beside) this.#track(work);
      // One after the other, as the rules say.
      // oxlint-disable-next-line no-await-in-loop
      else reports.push(await work);
    }
    return reports;
  }

  /** Resolves when everything asynchronous is done. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Gives asynchronous effects `waitMs` milliseconds more, then aborts them. Idempotent. */
  async close(waitMs: number): Promise<void> {
    if (this.#underWay.size === 0) return;
    const cancel = new AbortController();
    const late = this.#clock
      .sleep(waitMs, cancel.signal)
      .then(() => this.#stop.abort(new Error("the end was not put off any longer")))
      .catch(() => undefined);
    await this.idle();
    cancel.abort();
    await late;
  }

  #track(work: Promise<EffectReport>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #perform(effect: Effect, event: PolicyEvent, beside: boolean): Promise<EffectReport> {
    const { action, rule, index, key } = effect;
    const began = this.#clock.monotonic();
    const most = 1 + (action.retry_count ?? 0);
    const delayMs = seconds(action.retry_delay, RETRY_DELAY_MS);
    let attempts = 0;
    let outcome: Pick<EffectReport, "outcome" | "result" | "error">;
    for (;;) {
      attempts += 1;
      outcome = await this.#attempt(effect, event);
      if (outcome.outcome === "done" || attempts >= most || !mayRetry(outcome.error)) break;
      if (!(await this.#wait(delayMs))) break;
    }
    const report: EffectReport = {
      rule,
      type: action.type,
      index,
      key,
      async: beside,
      attempts,
      durationMs: this.#clock.monotonic() - began,
      ...outcome,
    };
    this.#tell(report);
    return report;
  }

  #tell(report: EffectReport): void {
    try {
      this.#onReport(report);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  async #attempt(
    effect: Effect,
    event: PolicyEvent,
  ): Promise<Pick<EffectReport, "outcome" | "result" | "error">> {
    const { action } = effect;
    const timeoutMs = seconds(action.timeout, TIMEOUT_MS);
    const timer = new AbortController();
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, this.#stop.signal]);
    const expiry = this.#clock.sleep(timeoutMs, timer.signal).then(
      () => limit.abort(timedOut(effect, timeoutMs)),
      () => undefined,
    );
    try {
      const result = await Promise.race([
        this.#handle(action, { event, effect, signal }),
        rejectedBy(signal, timer.signal),
      ]);
      return { outcome: "done", ...(result !== undefined && { result }) };
    } catch (error) {
      return {
        outcome: "failed",
        error: error instanceof Error ? error : new Error(String(error)),
      };
    } finally {
      timer.abort();
      await expiry;
    }
  }

  #handle(action: EffectAction, context: EffectContext): Promise<unknown> {
    // Each handler takes the parameters of its own type, which the compiler cannot follow here.
    const handler = this.#handlers[action.type] as EffectHandler<EffectType>;
    return Promise.resolve().then(() => handler(action.parameters ?? {}, context));
  }

  async #wait(delayMs: number): Promise<boolean> {
    try {
      await this.#clock.sleep(delayMs, this.#stop.signal);
      return true;
    } catch {
      // The runner was closed: the last attempt is what there is to report.
      return false;
    }
  }
}

const seconds = (value: number | undefined, otherwiseMs: number): number =>
  value === undefined ? otherwiseMs : value * 1_000;

/** What can never succeed is not tried again. */
const mayRetry = (error: Error | undefined): boolean =>
  !(error instanceof HoldfastError) || error.retryable;

/** `over`: nobody waits for it any more, and the runner's end, which may be far, keeps nothing of it. */
function rejectedBy(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { signal: over });
  });
}

function timedOut({ rule, action }: Effect, timeoutMs: number): PolicyError {
  return new PolicyError(`${rule}'s ${action.type} took longer than ${timeoutMs} ms`, {
    code: "POLICY_ACTION_TIMEOUT",
    retryable: true,
    hint: "Raise its timeout, or let it run with async_execution: true.",
  });
}
