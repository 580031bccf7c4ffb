import type { Clock } from "@holdfast/core";
import type { CheckOutcome } from "../check.ts";
import { RecoveryError } from "../recovery-error.ts";
import type { PlannedStep, RecoveryStrategy } from "../step.ts";
import type { Incident, IncidentState, IncidentStep, StepState } from "./incident.ts";
import type { JournalHold } from "./journal-hold.ts";
import { type RecoveryPlan, withinRisk } from "./plan.ts";
import type { RecoveryEvent } from "./recovery-event.ts";
import type { RecoveryJournal } from "./recovery-journal.ts";
import { interruptedStep, runStep } from "./run-step.ts";

export interface RecoveryRunDeps {
  journal: RecoveryJournal;
  hold: JournalHold;
  strategies: readonly RecoveryStrategy[];
  /** Asks the strategies, one after the other, until what they offer is enough. */
  plan: (isEnough: (plan: RecoveryPlan) => boolean) => Promise<RecoveryPlan>;
  prove: () => Promise<CheckOutcome>;
  signal: AbortSignal;
  riskMax: PlannedStep["risk"];
  byHand: string;
  undoLimitMs: number;
  clock: Clock;
  tell: (event: RecoveryEvent) => void;
}

export interface RunEnd {
  state: Exclude<IncidentState, "running" | "aborted">;
  message: string;
  hint: string | undefined;
  proof: CheckOutcome;
  incident: Incident;
}

/** Plans are made anew after each repair that did not suffice; this bounds how often. */
const PLANS_MAX = 8;

const FAILED: readonly StepState[] = ["failed", "undone", "undo-failed"];

/** The work at one incident, from its opening or from where a killed process left it. */
export class RecoveryRun {
  readonly #incident: string;
  readonly #deps: RecoveryRunDeps;
  #triedFrom = 0;

  constructor(incident: string, deps: RecoveryRunDeps) {
    this.#incident = incident;
    this.#deps = deps;
  }

  /** Begins with a plan that was made just now; `isWhole` when all of its steps are asked for. */
  begin(plan: RecoveryPlan, isWhole: boolean): Promise<RunEnd> {
    // What an earlier attempt at the same trouble tried may be tried again.
    this.#triedFrom = this.#read().steps.length;
    return this.#guarded(() => this.#work(plan, isWhole));
  }

  /** Ends the step that was cut off, and goes on from what is found then. */
  resume(left: Incident): Promise<RunEnd> {
    const { hold, plan, tell } = this.#deps;
    return this.#guarded(async () => {
      hold.resume(left.id);
      tell({ type: "resumed", incident: left.id, times: left.resumed + 1 });
      const interrupted = interruptedStep(left);
      if (interrupted !== undefined) await this.#runStep(interrupted);
      const proof = await this.#prove();
      if (proof.status === "pass") return this.#close("recovered", proof);
      // What was planned then says little about now.
      return this.#work(await plan(this.#offersMore), false);
    });
  }

  /** Runs plan after plan until something suffices, or nothing new is left to try. */
  async #work(first: RecoveryPlan, isFirstWhole: boolean): Promise<RunEnd> {
    const { hold, plan, tell } = this.#deps;
    let next = first;
    for (let plans = 1; ; plans += 1) {
      const current = this.#untried(next);
      const ordinal = hold.plan(this.#incident, current);
      tell({ type: "planned", incident: this.#incident, plan: current });
      await this.#runSteps(ordinal, isFirstWhole && plans === 1);
      const proof = await this.#prove();
      if (proof.status === "pass") return this.#close("recovered", proof);
      if (current.steps.length === 0 || plans === PLANS_MAX) return this.#giveUp(proof, current);
      next = await plan(this.#offersMore);
    }
  }

  readonly #offersMore = (plan: RecoveryPlan): boolean => this.#untried(plan).steps.length > 0;

  /** Without what was tried in this run, or is too great a risk. */
  #untried(plan: RecoveryPlan): RecoveryPlan {
    const { steps, ...rest } = withinRisk(plan, this.#deps.riskMax, this.#deps.byHand);
    const tried = this.#tried();
    return {
      ...rest,
      steps: steps.filter(({ strategy, step }) => !tried.has(keyOf(strategy, step))),
    };
  }

  /**
   * Runs steps until one says that it has repaired something: then what was planned is stale. Of a
   * whole plan, in which nothing was wrong, only a step that fails is the last.
   */
  async #runSteps(fromOrdinal: number, isWhole: boolean): Promise<void> {
    const { steps } = this.#read();
    for (const step of steps.filter(({ ordinal }) => ordinal >= fromOrdinal)) {
      this.#deps.signal.throwIfAborted();
      const state = await this.#runStep(step);
      if (isWhole ? FAILED.includes(state) : state === "repaired") return;
    }
  }

  #runStep(step: IncidentStep): Promise<StepState> {
    const { strategies, signal } = this.#deps;
    const actionOf = (
      name: string,
      action: string,
    ): RecoveryStrategy["actions"][number] | undefined =>
      strategies
        .find((strategy) => strategy.name === name)
        ?.actions.find((candidate) => candidate.name === action);
    return runStep(step, { ...this.#deps, incident: this.#incident, actionOf }, signal);
  }

  async #prove(): Promise<CheckOutcome> {
    const proof = await this.#deps.prove();
    this.#deps.hold.proved(this.#incident, proof);
    this.#deps.tell({ type: "proved", incident: this.#incident, proof });
    return proof;
  }

  #giveUp(proof: CheckOutcome, { refusals: [refusal] }: RecoveryPlan): RunEnd {
    if (refusal !== undefined) return this.#close("refused", proof, refusal);
    const failed = this.#read().steps.findLast(
      ({ state, ordinal }) => FAILED.includes(state) && ordinal >= this.#triedFrom,
    );
    if (failed === undefined) return this.#close("failed", proof);
    // Why the repair failed says more than that the service still does not work.
    const message = `${failed.planned.title}: ${failed.message}`;
    return this.#close("failed", proof, { message, hint: proof.hint });
  }

  #close(
    state: RunEnd["state"],
    proof: CheckOutcome,
    { message, hint }: { message: string; hint?: string | undefined } = proof,
  ): RunEnd {
    const next = state === "recovered" ? undefined : hint;
    this.#end({ state, message, hint: next });
    return { state, message, hint: next, proof, incident: this.#read() };
  }

  /** Being told to stop closes the incident; a kill leaves it to be resumed. */
  async #guarded(work: () => Promise<RunEnd>): Promise<RunEnd> {
    const { signal } = this.#deps;
    try {
      return await work();
    } catch (error) {
      const taken = isLeaseLost(error) || isLeaseLost(signal.reason);
      if (signal.aborted && !taken) {
        this.#end({ state: "aborted", message: "it was told to stop", hint: undefined });
      }
      throw error;
    }
  }

  #end(end: { state: IncidentState; message: string; hint: string | undefined }): void {
    const { hold, clock, tell } = this.#deps;
    hold.close(this.#incident, end, clock.now());
    tell({ type: "closed", incident: this.#incident, state: end.state, message: end.message });
  }

  #tried(): Set<string> {
    const begun = this.#read().steps.filter(
      ({ attempts, ordinal }) => attempts > 0 && ordinal >= this.#triedFrom,
    );
    return new Set(begun.map(({ strategy, planned }) => keyOf(strategy, planned)));
  }

  #read(): Incident {
    const found = this.#deps.journal.incident(this.#incident);
    if (found === undefined) throw new TypeError(`Incident ${this.#incident} has vanished`);
    return found;
  }
}

function keyOf(strategy: string, { action, parameters }: PlannedStep): string {
  return JSON.stringify([strategy, action, parameters]);
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof RecoveryError && error.code === "RECOVERY_LEASE_LOST";
}
