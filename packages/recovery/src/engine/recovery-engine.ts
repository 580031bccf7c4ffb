import { type Clock, systemClock } from "@holdfast/core";
import type { CheckContext, CheckOutcome } from "../check.ts";
import type { Diagnosis, PlannedStep, RecoveryStrategy } from "../step.ts";
import type { Incident, IncidentState } from "./incident.ts";
import type { JournalHold } from "./journal-hold.ts";
import { BY_HAND, planOf, type RecoveryPlan, withinRisk } from "./plan.ts";
import type { RecoveryEvent } from "./recovery-event.ts";
import type { RecoveryJournal } from "./recovery-journal.ts";
import { RecoveryRun, type RunEnd } from "./recovery-run.ts";
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
  /** What to tell a person to whom a step is left, the command for it say. Default: in words. */
  byHand?: string;
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

export interface RecoverOptions {
  signal?: AbortSignal;
  /** Who or what asks; kept with the incident. */
  trigger: string;
  /**
   * Made just now by `plan({ force: true })`: where that found nothing wrong, all of its steps are
   * run. Default: the service is looked at now, and steps are run until it is proved to work.
   */
  forced?: RecoveryPlan;
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
      byHand: BY_HAND,
      leaseMs: 60_000,
      ...options,
    };
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** What would be done now. Changes nothing, and needs no right to. @throws the signal's reason. */
  plan(options: PlanOptions = {}): Promise<RecoveryPlan> {
    return this.#plan(options, () => false);
  }

  /** The recovery that a killed process left, or that another one is at. */
  unfinished(): Incident | undefined {
    return this.#deps.journal.unfinished(this.#options.service);
  }

  /**
   * Recovers the service. A strategy is asked when those before it have nothing more to offer. What
   * a killed process had begun is ended first. When `signal` aborts, the
   * step at hand is undone.
   * @throws RecoveryError `RECOVERY_BUSY`, `RECOVERY_LEASE_LOST`; SqliteError when the journal
   * cannot be written, since nothing is done that is not journaled; the signal's reason.
   */
  async recover(options: RecoverOptions): Promise<RecoveryReport> {
    const { journal } = this.#deps;
    const { service, leaseMs } = this.#options;
    const holding = { service, leaseMs, signal: options.signal ?? NEVER, clock: this.#clock };
    return withHold(journal, holding, async (hold, signal) => {
      const left = this.unfinished();
      if (left === undefined) return this.#begin(hold, { ...options, signal });
      return reportOf(await this.#run(hold, left.id, { ...options, signal }).resume(left));
    });
  }

  async #begin(
    hold: JournalHold,
    options: RecoverOptions & { signal: AbortSignal },
  ): Promise<RecoveryReport> {
    const { forced, trigger, signal, riskMax = "high" } = options;
    const isWhole = forced?.healthy === true;
    const plan = isWhole
      ? forced
      : await this.#plan({ signal }, (each) => withinRisk(each, riskMax).steps.length > 0);
    if (plan.healthy && !isWhole) {
      const proof = await this.#prove(signal);
      if (proof.status === "pass") {
        const { message } = proof;
        return { outcome: "healthy", message, hint: undefined, proof, incident: undefined };
      }
    }
    const now = this.#clock.now();
    const incident = hold.open(trigger, options.since ?? now, now);
    this.#deps.onEvent?.({ type: "opened", incident, trigger });
    return reportOf(await this.#run(hold, incident, options).begin(plan, isWhole));
  }

  #run(
    hold: JournalHold,
    incident: string,
    options: RecoverOptions & { signal: AbortSignal },
  ): RecoveryRun {
    const { journal, strategies, onEvent } = this.#deps;
    return new RecoveryRun(incident, {
      journal,
      hold,
      strategies,
      plan: (isEnough) => this.#plan({ signal: options.signal }, isEnough),
      prove: () => this.#prove(options.signal),
      signal: options.signal,
      riskMax: options.riskMax ?? "high",
      byHand: this.#options.byHand,
      undoLimitMs: this.#options.undoTimeoutMs,
      clock: this.#clock,
      tell: (event) => onEvent?.(event),
    });
  }

  /** Asks strategies until what they offer is enough. */
  async #plan(
    { signal = NEVER, force = false }: PlanOptions,
    isEnough: (plan: RecoveryPlan) => boolean,
  ): Promise<RecoveryPlan> {
    const diagnoses: Diagnosis[] = [];
    for (const strategy of this.#deps.strategies) {
      diagnoses.push(await this.#diagnose(strategy, signal, force));
      if (isEnough(planOf(diagnoses))) break;
    }
    return planOf(diagnoses);
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
}

function reportOf({ state, ...end }: RunEnd): RecoveryReport {
  return { outcome: state, ...end };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
