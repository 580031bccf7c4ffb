import { type BreakerEmitter, type BreakerEvents, warnOfCallback } from "./breaker-events.ts";
import { BreakerDisposedError, BulkheadFullError, CircuitOpenError } from "./breaker-error.ts";
import {
  type BreakerRecord,
  type ErrorEvidence,
  errorEvidence,
  type ForcedMode,
  withError,
} from "./breaker-record.ts";
import type { MaybePromise } from "./breaker-state-store.ts";
import { CallHealth } from "./call-health.ts";
import type { CallCounts, CircuitSetup } from "./circuit-setup.ts";
import { Call, type CallLimits, type Work } from "./call.ts";
import { OpossumExecutor } from "./opossum-executor.ts";
import { Ramp } from "./ramp.ts";
import { type ChangeOrigin, SharedRecord } from "./shared-record.ts";
import { type Admission, admit, force, type Outcome, probeNow, reset } from "./transition.ts";
import { settle, type Step, type Ticket, trip } from "./transition.ts";

/** A probe's lease outlives its time limit by this, so that a live probe never loses its lease. */
const LEASE_MARGIN_MS = 5_000;
/** Lease of a probe that has no time limit. */
const LEASE_UNTIMED_MS = 60_000;
const UNGATED: Ticket = { kind: "ungated" };

/** One state machine with its calls: the parent's, or that of one operation. */
export class Circuit {
  readonly setup: CircuitSetup;
  readonly counts: CallCounts = {
    succeeded: 0,
    failed: 0,
    ignored: 0,
    timedOut: 0,
    refused: 0,
    stale: 0,
  };
  readonly health: CallHealth | undefined;
  readonly shared: SharedRecord;
  readonly #executor: OpossumExecutor;
  readonly #emitter: BreakerEmitter;
  readonly #concurrencyMax: number;
  readonly #ramp: Ramp | undefined;
  /** Set while nothing stands in a call's way: closed, no failure to clear, no order, no ramp. */
  #clear: Ticket | undefined;
  /** Errors of this process since the last transition, for windows that the store does not see. */
  #errors: readonly ErrorEvidence[] = [];
  #running = 0;
  #zombies = 0;
  #disposed = false;

  constructor(setup: CircuitSetup) {
    this.setup = setup;
    const { rules } = setup;
    this.#emitter = setup.emitter;
    this.#concurrencyMax = rules.concurrencyMax;
    this.health = CallHealth.of(rules);
    this.#ramp = rules.rampMs > 0 ? new Ramp(rules.rampMs) : undefined;
    this.#executor = new OpossumExecutor(setup.breaker, rules.timeoutMs);
    this.shared = new SharedRecord({
      key: setup.operation === undefined ? setup.breaker : `${setup.breaker}/${setup.operation}`,
      pollMs: setup.pollMs,
      storeTimeoutMs: setup.storeTimeoutMs,
      clock: setup.clock,
      store: setup.store,
      onChange: (before, after, origin) => this.#changed(before, after, origin),
      onStore: (available, error) => this.#emit("store", { available, error }),
    });
    this.#clear = this.#clearTicket(this.shared.record);
  }

  /** Calls whose work has not ended, zombies included. */
  get running(): number {
    return this.#running;
  }

  /** Calls that have outlived their caller and still run. */
  get zombies(): number {
    return this.#zombies;
  }

  run<T>(work: Work<T>, limits: CallLimits | undefined): Promise<T> {
    const loading = this.#disposed ? undefined : this.shared.refresh();
    const ticket = this.#clear;
    const free = this.#running < this.#concurrencyMax;
    // The hot path awaits the call and nothing else.
    if (loading === undefined && ticket !== undefined && free && !this.#disposed) {
      this.#running++;
      return this.#launch(ticket, work, limits);
    }
    return this.#runAsked(loading, work, limits);
  }

  /** What an error says about the service. A classifier that throws is told of, as a listener is. */
  classify(error: unknown): Outcome {
    try {
      return this.setup.rules.classify(error);
    } catch (bug) {
      warnOfCallback("classifier", bug);
      return "failure";
    }
  }

  probeNow(evidence: string): MaybePromise<boolean> {
    return this.shared.apply((record, now) => probeNow(record, now, evidence));
  }

  force(mode: ForcedMode["mode"], reason: string): MaybePromise<void> {
    return this.shared.apply((record, now) => force(record, now, { mode, reason, since: now }));
  }

  reset(reason: string): MaybePromise<void> {
    return this.shared.apply((record, now) => reset(record, now, reason));
  }

  /** Idempotent. Running calls keep their time limits. */
  dispose(): void {
    this.#disposed = true;
    if (this.#running === 0) this.#executor.close();
  }

  async #runAsked<T>(
    loading: Promise<void> | undefined,
    work: Work<T>,
    limits: CallLimits | undefined,
  ): Promise<T> {
    if (this.#disposed) throw new BreakerDisposedError(this.setup.breaker);
    if (loading !== undefined) await loading;
    if (this.#running >= this.#concurrencyMax) throw this.#bulkheadFull();
    this.#running++;
    const ticket = this.#clear;
    if (ticket !== undefined) return this.#launch(ticket, work, limits);
    const asked = this.#admit(limits?.timeoutMs ?? this.setup.rules.timeoutMs);
    const admission = asked instanceof Promise ? await asked : asked;
    if (!admission.admitted) throw this.#refused(admission);
    return this.#launch(admission.ticket, work, limits);
  }

  #launch<T>(ticket: Ticket, work: Work<T>, limits: CallLimits | undefined): Promise<T> {
    const call = new Call(this.setup.breaker, work, limits);
    const watched = this.health !== undefined || this.#emitter.has("outcome");
    const startedAt = watched ? this.setup.clock.monotonic() : 0;
    const running =
      limits === undefined ? this.#executor.run(call) : this.#executor.runUntimed(call);
    return running.then(
      (value) => {
        this.#end();
        if (ticket === this.#clear && !watched) {
          this.counts.succeeded++;
          return value;
        }
        const settled = this.#settle(ticket, "success", startedAt);
        return settled === undefined ? value : settled.then(() => value);
      },
      async (error: unknown) => {
        this.#endFailed(call);
        const thrown = call.timeout ?? error;
        const outcome = this.#outcomeOf(call, thrown);
        await this.#settle(ticket, outcome, startedAt, thrown, call);
        throw thrown;
      },
    );
  }

  /** Decides locally; goes through the store only for what changes the record. */
  #admit(timeoutMs: number): MaybePromise<Admission> {
    const { rules, clock, enabled } = this.setup;
    if (!enabled) return { admitted: true, ticket: UNGATED };
    const request = {
      // The global loads node:crypto when it is used, which is rarely.
      token: crypto.randomUUID(),
      leaseMs: timeoutMs === 0 ? LEASE_UNTIMED_MS : timeoutMs + LEASE_MARGIN_MS,
    };
    const { record } = this.shared;
    const now = clock.now();
    const step = admit(record, now, rules, request);
    if (step.record !== record && step.result.admitted) {
      return this.shared.apply((newest, at) => admit(newest, at, rules, request));
    }
    if (step.result.admitted && record.state === "closed" && record.recovered && !record.forced) {
      const waitMs = this.#ramp?.waitMs(now - record.since) ?? 0;
      if (waitMs > 0) return { admitted: false, reason: "ramp", retryAfterMs: waitMs };
    }
    return step.result;
  }

  /** Counts an outcome; returns a promise only while an asynchronous store takes it in. */
  #settle(
    ticket: Ticket,
    outcome: Outcome,
    startedAt: number,
    error?: unknown,
    call?: Call<unknown>,
  ): Promise<void> | undefined {
    const { rules, clock, random } = this.setup;
    const timedOut = call?.timeout !== undefined;
    if (timedOut) this.counts.timedOut++;
    if (outcome === "success") this.counts.succeeded++;
    else if (outcome === "failure") this.counts.failed++;
    else this.counts.ignored++;
    const endedAt = startedAt === 0 ? 0 : clock.monotonic();
    const durationMs = endedAt - startedAt;
    if (this.#emitter.has("outcome")) {
      const probe = ticket.kind === "probe";
      this.#emit("outcome", { outcome, durationMs, error, timedOut, probe });
    }
    if (ticket.kind === "ungated") return undefined;
    const { record } = this.shared;
    if (ticket.generation !== record.generation) {
      this.counts.stale++;
      return undefined;
    }
    if (outcome === "ignored" && ticket.kind === "call") return undefined;
    const evidence = outcome === "failure" ? errorEvidence(error, clock.now()) : undefined;
    if (evidence !== undefined) this.#errors = withError(this.#errors, evidence);
    const why =
      ticket.kind === "call"
        ? this.health?.record(outcome === "failure", durationMs, endedAt)
        : undefined;
    if (why !== undefined) return this.#trip(ticket.generation, why);
    if (ticket.kind === "call" && !this.#countsInARow(outcome, record)) return undefined;
    const report = {
      ticket,
      outcome,
      jitter: random.next(),
      ...(evidence === undefined ? undefined : { error: evidence }),
    };
    const counted = this.shared.apply((newest, now) => settle(newest, now, rules, report));
    const note = (inTime: boolean): void => {
      if (!inTime) this.counts.stale++;
    };
    if (counted instanceof Promise) return counted.then(note);
    note(counted);
    return undefined;
  }

  /** Whether an outcome of a closed breaker changes the shared count of consecutive failures. */
  #countsInARow(outcome: Outcome, record: BreakerRecord): boolean {
    if (outcome === "failure") return this.setup.rules.trip.kind === "consecutive";
    return record.state === "closed" && record.failures > 0;
  }

  #trip(generation: number, why: string): Promise<void> | undefined {
    const evidence = { generation, why, errors: this.#errors };
    const tripped = this.shared.apply((newest, now) =>
      trip(newest, now, this.setup.rules, evidence),
    );
    return tripped instanceof Promise ? tripped.then(() => undefined) : undefined;
  }

  #outcomeOf(call: Call<unknown>, error: unknown): Outcome {
    return call.abandoned ? "ignored" : this.classify(error);
  }

  #end(): void {
    this.#running--;
    if (this.#disposed && this.#running === 0) this.#executor.close();
  }

  /** Ends a failed call, or follows its work until it really ends. */
  #endFailed(call: Call<unknown>): void {
    if (call.running === undefined || (call.timeout === undefined && !call.abandoned)) {
      this.#end();
      return;
    }
    this.#zombies++;
    this.#emit("zombie", { zombies: this.#zombies });
    const ended = (): void => {
      this.#zombies--;
      this.#end();
      this.#emit("zombie", { zombies: this.#zombies });
    };
    call.running.then(ended, ended);
  }

  #bulkheadFull(): BulkheadFullError {
    this.counts.refused++;
    this.#emit("reject", { reason: "bulkhead", retryAfterMs: 0 });
    const { breaker, rules } = this.setup;
    return new BulkheadFullError(breaker, rules.concurrencyMax, this.#zombies);
  }

  #refused(admission: Step<Admission>["result"] & { admitted: false }): CircuitOpenError {
    this.#end();
    this.counts.refused++;
    const { reason, retryAfterMs } = admission;
    this.#emit("reject", { reason, retryAfterMs });
    const { breaker, operation } = this.setup;
    const { state, why } = this.shared.record;
    return new CircuitOpenError({ breaker, operation, state, why, reason, retryAfterMs });
  }

  #changed(before: BreakerRecord, after: BreakerRecord, origin: ChangeOrigin): void {
    this.#clear = this.#clearTicket(after);
    if (before.generation === after.generation) return;
    this.health?.clear();
    this.#ramp?.restart();
    this.#errors = [];
    const { generation, why, errors, forced } = after;
    const [from, to] = [before.state, after.state];
    this.#emit("transition", { from, to, generation, why, errors, forced, origin });
  }

  #clearTicket(record: BreakerRecord): Ticket | undefined {
    if (!this.setup.enabled) return UNGATED;
    if (record.state !== "closed" || record.failures > 0 || record.forced) return undefined;
    if (record.recovered && this.#ramp !== undefined) return undefined;
    return { kind: "call", generation: record.generation };
  }

  #emit<E extends keyof BreakerEvents>(
    event: E,
    details: Omit<BreakerEvents[E], "breaker" | "operation" | "at">,
  ): void {
    const { breaker, operation, clock, emitter } = this.setup;
    if (!emitter.has(event)) return;
    const payload = { breaker, operation, at: clock.now(), ...details };
    emitter.emit(event, payload as unknown as BreakerEvents[E]);
  }
}
