import { type Clock, systemClock } from "@holdfast/core";
import type { RecoverOptions, RecoveryEngine, RecoveryReport } from "../engine/recovery-engine.ts";
import type { HealthLoop, HealthReport } from "../health/health-loop.ts";
import type { ServiceStatus } from "../health/service-status.ts";
import type { OrchestratedExit, Orchestrator } from "../orchestrate/orchestrator.ts";
import { RecoveryError } from "../recovery-error.ts";
import { attempted, type FailedAttempt } from "./attempted.ts";
import { causeOf, isDown, serves } from "./standing.ts";
import type { RestartDecision, RestartPolicy } from "./restart-policy.ts";
import type { SupervisorEvent } from "./supervisor-event.ts";

export interface SupervisorOptions {
  /** Start the service first, when the orchestrator can. Default false: it is somebody else's. */
  starts?: boolean;
  /**
   * When it gives up on a service that does not run, `run` rejects with the reason. Default false:
   * it goes on watching, and begins anew once the service serves, or once our own files, which were
   * why it could try nothing, can be used again.
   */
  endsWhenDown?: boolean;
  /** Restart and repair. Default true; false: it only watches, and hears of ends. */
  heals?: boolean;
  /** How long a service that was started may take to serve, in milliseconds. Default 30000. */
  startupMs?: number;
  /** Steps of greater risk are left to a person. Default `medium`. */
  riskMax?: NonNullable<RecoverOptions["riskMax"]>;
}

export const SUPERVISOR_DEFAULTS: Required<SupervisorOptions> = {
  starts: false,
  endsWhenDown: false,
  heals: true,
  startupMs: 30_000,
  riskMax: "medium",
};

export interface SupervisorDeps {
  health: HealthLoop;
  /** Without it and without an orchestrator, it only watches. */
  engine?: RecoveryEngine;
  orchestrator?: Orchestrator;
  policy: RestartPolicy;
  clock?: Clock;
  /** What it throws ends `run`. */
  onEvent?: (event: SupervisorEvent) => void;
}

/** How soon it is seen that a look is due earlier than it was. */
const TICK_MS = 250;
const UNHEALED = { code: "SERVICE_UNHEALED", retryable: true } as const;

/**
 * Watches one service and keeps it serving: a service that ends is started again at once; one that
 * ends again soon, or runs and does not work, is diagnosed and repaired; one that cannot be helped
 * is left alone after a bounded number of attempts, and a person is told.
 */
export class Supervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #deps: SupervisorDeps;
  readonly #clock: Clock;
  #status: ServiceStatus = "unknown";
  #exit: OrchestratedExit | undefined;
  #downSince: number | undefined;
  #gaveUp: Pick<FailedAttempt, "message" | "untried"> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: SupervisorOptions, deps: SupervisorDeps) {
    this.#options = { ...SUPERVISOR_DEFAULTS, ...options };
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** What is believed of the service now; stale evidence is `unknown`. */
  report(): HealthReport {
    return this.#deps.health.report();
  }

  /** Somebody says that it may be tried again. */
  resume(): void {
    this.#gaveUp = undefined;
    this.#deps.policy.reset();
    this.#wake?.();
  }

  /**
   * Runs until `signal` aborts.
   * @throws what made it give up, with `endsWhenDown`; what is no HoldfastError, at once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#deps.orchestrator?.onExit?.((exit) => {
      this.#exit = exit;
      this.#wake?.();
    });
    try {
      if (this.#options.starts) await this.#start(signal);
      while (!signal.aborted) {
        if (this.#exit !== undefined || this.#deps.health.dueInMs() === 0) await this.#turn(signal);
        await this.#sleep(Math.min(TICK_MS, this.#deps.health.dueInMs()), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      unsubscribe?.();
    }
  }

  /** Starts it where `run` would, looks once, and does what follows, attempts included. */
  async once(signal: AbortSignal): Promise<HealthReport> {
    const starts = this.#options.starts && this.#deps.orchestrator !== undefined;
    if (starts) await this.#start(signal);
    // A start that went well has looked.
    if (!starts || !serves(this.report()) || this.#exit !== undefined) await this.#turn(signal);
    return this.report();
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { orchestrator, policy } = this.#deps;
    if (orchestrator === undefined) return;
    const end = await attempted(() => orchestrator.start(signal), signal);
    if (end === undefined) {
      await this.#untilServing(signal);
      return;
    }
    this.#tell({ type: "attempt-failed", attempt: 0, message: end.message, hint: end.hint });
    if (end.final) await this.#giveUp(end, signal);
    else await this.#heal(policy.crashed(0), signal, end);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const exit = this.#takeExit();
    if (exit !== undefined) {
      if (this.#heals) await this.#heal(this.#deps.policy.crashed(exit.ranMs), signal);
      return;
    }
    const report = await this.#look(signal);
    // A service that ended meanwhile is judged by that.
    if (!isDown(report) || this.#exit !== undefined || !this.#heals) return;
    // Who makes room on the disk must not have to think of us as well.
    if (this.#gaveUp?.untried === false) return;
    await this.#heal(this.#deps.policy.troubled(causeOf(report)), signal);
  }

  /** How it ended unasked, if it did since the last time. */
  #takeExit(): OrchestratedExit | undefined {
    const exit = this.#exit;
    this.#exit = undefined;
    if (exit === undefined) return undefined;
    this.#downSince ??= this.#clock.now();
    // What was believed of it is past: the next look is believed at once.
    this.#deps.health.forget();
    this.#tell({ type: "exit", exit });
    return exit;
  }

  async #look(signal: AbortSignal): Promise<HealthReport> {
    const report = await this.#deps.health.round(signal);
    this.#saw(report);
    if (isDown(report)) this.#downSince ??= this.#clock.now();
    else if (serves(report)) this.#up();
    return report;
  }

  /** Attempts, each after its wait, until one helps or there is no more. */
  async #heal(first: RestartDecision, signal: AbortSignal, before?: FailedAttempt): Promise<void> {
    const { policy } = this.#deps;
    this.#downSince ??= this.#clock.now();
    let failure = before;
    for (let decision = first; ;) {
      this.#tell({ type: "decided", decision });
      if (decision.action === "give-up") {
        const last = { hint: undefined, ...failure, message: decision.why, untried: false };
        await this.#giveUp(last, signal);
        return;
      }
      await this.#clock.sleep(decision.waitMs, signal);
      this.#exit = undefined;
      const { attempt } = decision;
      failure = await attempted(() => this.#attempt(decision, signal), signal);
      if (failure === undefined) return;
      const { message, hint, final, busy, untried } = failure;
      this.#tell({ type: "attempt-failed", attempt, message, hint });
      if (final) {
        if (untried) policy.forgive();
        await this.#giveUp(failure, signal);
        return;
      }
      if (busy) {
        policy.forgive();
        return;
      }
      // So that nobody is left to believe what was seen before; and somebody else may have helped.
      if (serves(await this.#look(signal)) && this.#exit === undefined) return;
      const exit = this.#takeExit();
      decision = exit === undefined ? policy.troubled(message) : policy.crashed(exit.ranMs);
    }
  }

  /** @throws RecoveryError `SERVICE_UNHEALED` when it did not help. */
  async #attempt({ action, why }: RestartDecision, signal: AbortSignal): Promise<void> {
    const { engine, orchestrator } = this.#deps;
    let by: "restart" | RecoveryReport = "restart";
    if (orchestrator !== undefined && (action === "restart" || engine === undefined)) {
      await orchestrator.restart(signal);
    } else if (engine !== undefined) {
      by = await this.#recover(engine, why, signal);
    }
    const report = await this.#untilServing(signal);
    if (!serves(report) || this.#exit !== undefined) {
      throw new RecoveryError(this.#exit?.how ?? causeOf(report), UNHEALED);
    }
    this.#up(by);
  }

  /** Looks until it serves, ends, or had its time. What it was before says nothing about it now. */
  async #untilServing(signal: AbortSignal): Promise<HealthReport> {
    const { health } = this.#deps;
    const deadline = this.#clock.monotonic() + this.#options.startupMs;
    for (;;) {
      health.forget();
      const report = await health.round(signal);
      const late = this.#clock.monotonic() >= deadline;
      if (serves(report) || this.#exit !== undefined || late) {
        this.#saw(report);
        return report;
      }
      await this.#clock.sleep(TICK_MS, signal);
    }
  }

  async #recover(
    engine: RecoveryEngine,
    trigger: string,
    signal: AbortSignal,
  ): Promise<RecoveryReport> {
    const { riskMax } = this.#options;
    const since = this.#downSince ?? this.#clock.now();
    const report = await engine.recover({ trigger, signal, riskMax, since });
    const { outcome, message, hint } = report;
    if (outcome === "recovered" || outcome === "healthy") return report;
    throw new RecoveryError(message, {
      ...UNHEALED,
      retryable: outcome === "failed",
      ...(hint === undefined ? {} : { hint }),
    });
  }

  async #giveUp(
    { message, hint, cause, untried }: Omit<FailedAttempt, "final" | "busy">,
    signal: AbortSignal,
  ): Promise<void> {
    // Once, not with each look.
    if (this.#gaveUp?.message !== message) this.#tell({ type: "gave-up", message, hint });
    this.#gaveUp = { message, untried };
    if (!this.#options.endsWhenDown) return;
    if ((await this.#deps.orchestrator?.state(signal)) === "running") return;
    throw cause ?? new RecoveryError(message, UNHEALED);
  }

  #saw(report: HealthReport): void {
    const from = this.#status;
    const { status: to } = report;
    this.#status = to;
    this.#tell({ type: "checked", report });
    if (from !== to) this.#tell({ type: "status", from, to, report });
  }

  #up(by?: "restart" | RecoveryReport): void {
    if (this.#gaveUp !== undefined) this.resume();
    if (this.#downSince === undefined) return;
    const downMs = Math.max(0, this.#clock.now() - this.#downSince);
    this.#downSince = undefined;
    this.#tell({ type: "recovered", downMs, ...(by === undefined ? {} : { by }) });
  }

  get #heals(): boolean {
    const { engine, orchestrator } = this.#deps;
    return this.#options.heals && (engine !== undefined || orchestrator !== undefined);
  }

  /** Sleeps, or less when something happens meanwhile. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#exit !== undefined) return;
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    try {
      await this.#clock.sleep(ms, AbortSignal.any([signal, waking.signal]));
    } catch (error) {
      if (!waking.signal.aborted && !signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }

  #tell(event: SupervisorEvent): void {
    this.#deps.onEvent?.(event);
  }
}
