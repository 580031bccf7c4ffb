import { type Clock, systemClock } from "@holdfast/core";
import type { CheckContext, CheckOutcome } from "../check.ts";
import { RecoveryError } from "../recovery-error.ts";
import type { Diagnosis, PlannedStep, RecoveryStrategy } from "../step.ts";
import type { Incident, IncidentState, IncidentStep } from "./incident.ts";
import type { JournalHold } from "./journal-hold.ts";
import { planOf, type RecoveryPlan, withinRisk } from "./plan.ts";
import type { RecoveryEvent } from "./recovery-event.ts";
import type { RecoveryJournal } from "./recovery-journal.ts";
import { interruptedStep, runStep } from "./run-step.ts";
import { withHold } from "./with-hold.ts";
import { withLimit } from "../with-limit.ts";

export interface RecoveryEngineOptions {
  /** What is recovered; one recovery at a time for each name in a journal. */
  service: string;
  /** How long each strategy may look. Default 60000. */
  diagnoseTimeoutMs?: number;
  /** How long a proof may take. Default 30000. */
  proofTimeoutMs?: number;
  /** How long putting one step back may take. Default 60000. */
  undoTimeoutMs?: number;
  /** After which standing still loses the right to recover to another process. Default 60000. */
  leaseMs?: number;
}

export interface RecoveryEngineDeps {
  journal: RecoveryJournal;
  /** Asked in this order. */
  strategies: readonly RecoveryStrategy[];
  /** Shows that the service does its work. Only `pass` proves. */
  prove: (context: CheckContext) => Promise<CheckOutcome> | CheckOutcome;
  clock?: Clock;
  /** Told each thing right after it was journaled. What it throws ends the recovery. */
  onEvent?: (event: RecoveryEvent) => void;
}

export interface PlanOptions {
  signal?: AbortSignal;
  /** Ask for steps although nothing is found wrong. Default false. */
  force?: boolean;
}

export interface RecoverOptions extends PlanOptions {
  /** Who or what asks; kept with the incident. */
  trigger: string;
  /** When the trouble was noticed, in wall-clock milliseconds. Default now. */
  since?: number;
  /** Steps of greater risk are left to a person. Default `high`: none is. */
  riskMax?: PlannedStep["risk"];
}

export interface RecoveryReport {
  /** `healthy`: nothing was found, and the proof passed; nothing was done or recorded. */
  outcome: "healthy" | Exclude<IncidentState, "running" | "aborted">;
  message: string;
  hint: string | undefined;
  proof: CheckOutcome;
  /** What is kept of it; undefined when healthy. */
  incident: Incident | undefined;
}

/** Plans are made anew after each repair that did not suffice; this bounds how often. */
const PLANS_MAX = 8;
const NEVER = new AbortController().signal;

/**
 * Repairs one service: asks its strategies what is wrong, runs their steps in order of risk and
 * cost until the proof passes, and keeps what it did. Every step is journaled before it is run:
 * after a kill, the next recovery by any process takes up where that one ended.
 */
export class RecoveryEngine {
  readonly #options: Required<RecoveryEngineOptions>;
  readonly #deps: RecoveryEngineDeps;
  readonly #clock: Clock;

  constructor(options: RecoveryEngineOptions, deps: RecoveryEngineDeps) {
    this.#options = {
      diagnoseTimeoutMs: 60_000,
      proofTimeoutMs: 30_000,
      undoTimeoutMs: 60_000,
      leaseMs: 60_000,
      ...options,
    };
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** What would be done now. Changes nothing, and needs no right to. @throws the signal's reason. */
  async plan({ signal = NEVER, force = false }: PlanOptions = {}): Promise<RecoveryPlan> {
    const diagnoses: Diagnosis[] = [];
    for (const strategy of this.#deps.strategies) {
      diagnoses.push(await this.#diagnose(strategy, signal, force));
    }
    return planOf(diagnoses);
  }

  /** The recovery that a killed process left, or that another one is at. */
  unfinished(): Incident | undefined {
    return this.#deps.journal.unfinished(this.#options.service);
  }

  /**
   * Recovers the service. What a killed process had begun is ended first. When `signal` aborts, the
   * step at hand is undone.
   * @throws RecoveryError `RECOVERY_BUSY`, `RECOVERY_LEASE_LOST`; SqliteError when the journal
   * cannot be written, since nothing is done that is not journaled; the signal's reason.
   */
  async recover(options: RecoverOptions): Promise<RecoveryReport> {
    const { signal = NEVER } = options;
    const { service, leaseMs } = this.#options;
    const holding = { service, leaseMs, signal, clock: this.#clock };
    return withHold(this.#deps.journal, holding, async (hold, held) => {
      const left = this.unfinished();
      if (left === undefined) return this.#begin(hold, options, held);
      return this.#guarded(hold, left.id, held, () => this.#resume(hold, left, options, held));
    });
  }

  async #begin(
    hold: JournalHold,
    options: RecoverOptions,
    signal: AbortSignal,
  ): Promise<RecoveryReport> {
    const { force = false, trigger } = options;
    const plan = await this.plan({ ...options, signal });
    if (plan.healthy && !force) {
      const proof = await this.#prove(signal);
      if (proof.status === "pass") {
        const { message } = proof;
        return { outcome: "healthy", message, hint: undefined, proof, incident: undefined };
      }
    }
    const now = this.#clock.now();
    const incident = hold.open(trigger, options.since ?? now, now);
    this.#tell({ type: "opened", incident, trigger });
    return this.#guarded(hold, incident, signal, () =>
      this.#work(hold, incident, { ...options, plan, signal }),
    );
  }

  async #resume(
    hold: JournalHold,
    left: Incident,
    options: RecoverOptions,
    signal: AbortSignal,
  ): Promise<RecoveryReport> {
    hold.resume(left.id);
    this.#tell({ type: "resumed", incident: left.id, times: left.resumed + 1 });
    const interrupted = interruptedStep(left);
    if (interrupted !== undefined) await this.#runStep(hold, left.id, interrupted, signal);
    const proof = await this.#proveAndKeep(hold, left.id, signal);
    if (proof.status === "pass") return this.#close(hold, left.id, "recovered", proof);
    // What was planned then says little about now.
    const plan = await this.plan({ ...options, signal });
    return this.#work(hold, left.id, { ...options, plan, signal });
  }

  /** Runs plan after plan until something suffices, or nothing new is left to try. */
  async #work(
    hold: JournalHold,
    incident: string,
    options: RecoverOptions & { plan: RecoveryPlan; signal: AbortSignal },
  ): Promise<RecoveryReport> {
    const { signal, riskMax = "high" } = options;
    let plan = withinRisk(options.plan, riskMax);
    for (let plans = 1; ; plans += 1) {
      const tried = this.#tried(incident);
      const steps = plan.steps.filter(({ strategy, step }) => !tried.has(keyOf(strategy, step)));
      const ordinal = hold.plan(incident, { ...plan, steps });
      this.#tell({ type: "planned", incident, plan: { ...plan, steps } });
      const repaired = await this.#runUntilRepaired(hold, incident, ordinal, signal);
      const proof = await this.#proveAndKeep(hold, incident, signal);
      if (proof.status === "pass") return this.#close(hold, incident, "recovered", proof);
      if (!repaired || plans === PLANS_MAX) {
        const outcome = plan.refusals.length > 0 ? "refused" : "failed";
        return this.#close(hold, incident, outcome, proof, plan.refusals[0]);
      }
      plan = withinRisk(await this.plan(options), riskMax);
    }
  }

  /** Whether a step says that it has repaired something. */
  async #runUntilRepaired(
    hold: JournalHold,
    incident: string,
    fromOrdinal: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { steps } = this.#read(incident);
    for (const step of steps.filter(({ ordinal }) => ordinal >= fromOrdinal)) {
      signal.throwIfAborted();
      const state = await this.#runStep(hold, incident, step, signal);
      if (state === "repaired") return true;
    }
    return false;
  }

  #runStep(
    hold: JournalHold,
    incident: string,
    step: IncidentStep,
    signal: AbortSignal,
  ): Promise<IncidentStep["state"]> {
    const { strategies } = this.#deps;
    return runStep(
      step,
      {
        hold,
        incident,
        actionOf: (name, action) =>
          strategies
            .find((strategy) => strategy.name === name)
            ?.actions.find((candidate) => candidate.name === action),
        undoLimitMs: this.#options.undoTimeoutMs,
        clock: this.#clock,
        tell: (event) => this.#tell(event),
      },
      signal,
    );
  }

  /** Closes the incident as aborted when it was told to stop; a kill leaves it to be resumed. */
  async #guarded(
    hold: JournalHold,
    incident: string,
    signal: AbortSignal,
    work: () => Promise<RecoveryReport>,
  ): Promise<RecoveryReport> {
    try {
      return await work();
    } catch (error) {
      const lost = error instanceof RecoveryError && error.code === "RECOVERY_LEASE_LOST";
      if (signal.aborted && !lost && !isLeaseLost(signal.reason)) {
        this.#end(hold, incident, "aborted", "it was told to stop");
      }
      throw error;
    }
  }

  async #diagnose(
    strategy: RecoveryStrategy,
    signal: AbortSignal,
    force: boolean,
  ): Promise<Diagnosis> {
    try {
      return await withLimit(this.#options.diagnoseTimeoutMs, signal, (limited) =>
        strategy.diagnose({ signal: limited, ...(force ? { force } : {}) }),
      );
    } catch (error) {
      signal.throwIfAborted();
      const message = `it could not look: ${messageOf(error)}`;
      const findings = [{ check: strategy.name, message }];
      return { strategy: strategy.name, healthy: false, findings, steps: [] };
    }
  }

  async #prove(signal: AbortSignal): Promise<CheckOutcome> {
    try {
      return await withLimit(this.#options.proofTimeoutMs, signal, (limited) =>
        this.#deps.prove({ signal: limited }),
      );
    } catch (error) {
      signal.throwIfAborted();
      return { status: "fail", message: messageOf(error) };
    }
  }

  async #proveAndKeep(
    hold: JournalHold,
    incident: string,
    signal: AbortSignal,
  ): Promise<CheckOutcome> {
    const proof = await this.#prove(signal);
    hold.proved(incident, proof);
    this.#tell({ type: "proved", incident, proof });
    return proof;
  }

  #close(
    hold: JournalHold,
    incident: string,
    outcome: Exclude<RecoveryReport["outcome"], "healthy">,
    proof: CheckOutcome,
    refusal?: { message: string; hint: string },
  ): RecoveryReport {
    const message =
      refusal === undefined || outcome === "recovered" ? proof.message : refusal.message;
    const hint = outcome === "recovered" ? undefined : (refusal?.hint ?? proof.hint);
    this.#end(hold, incident, outcome, message, hint);
    return { outcome, message, hint, proof, incident: this.#read(incident) };
  }

  #end(
    hold: JournalHold,
    incident: string,
    state: IncidentState,
    message: string,
    hint?: string,
  ): void {
    hold.close(incident, { state, message, hint }, this.#clock.now());
    this.#tell({ type: "closed", incident, state, message });
  }

  #tried(incident: string): Set<string> {
    const begun = this.#read(incident).steps.filter(({ attempts }) => attempts > 0);
    return new Set(begun.map(({ strategy, planned }) => keyOf(strategy, planned)));
  }

  #read(incident: string): Incident {
    const found = this.#deps.journal.incident(incident);
    if (found === undefined) throw new TypeError(`Incident ${incident} has vanished`);
    return found;
  }

  #tell(event: RecoveryEvent): void {
    this.#deps.onEvent?.(event);
  }
}

function keyOf(strategy: string, { action, parameters }: IncidentStep["planned"]): string {
  return JSON.stringify([strategy, action, parameters]);
}

function isLeaseLost(reason: unknown): boolean {
  return reason instanceof RecoveryError && reason.code === "RECOVERY_LEASE_LOST";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
