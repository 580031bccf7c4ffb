import type { Json } from "./check.ts";

/** A step as data: it can be printed, journaled, and found again by another process. */
export interface PlannedStep {
  /** The name of the action that runs it. */
  readonly action: string;
  readonly parameters: { readonly [key: string]: Json };
  /** One line for a person: what will be done. */
  readonly title: string;
  /** Everything that would change, one line each; empty for a step that only looks. */
  readonly changes: readonly string[];
  readonly risk: "none" | "low" | "medium" | "high";
  /** Estimated milliseconds; ranks steps of equal risk. */
  readonly costMs: number;
  /** How it is taken back: by `undo`, from a copy made first, or there is nothing to take back. */
  readonly reversal: "undo" | "pre-image" | "nothing";
}

export interface StepContext {
  signal: AbortSignal;
  /** Names the run that the step belongs to; stable over a resume. */
  readonly incident: string;
  /** Told to the person, and kept with the incident. */
  readonly note: (message: string) => void;
  /**
   * Kept at once, before the next thing is done: what a resume or an undo will need. Adds to what
   * was remembered before, key by key.
   */
  readonly remember: (state: { readonly [key: string]: Json }) => void;
  /** What was remembered by an earlier, interrupted attempt at this step. */
  readonly remembered: { readonly [key: string]: Json } | undefined;
}

/** Does what a planned step says. Idempotent: after a kill it is run again from the start. */
export interface StepAction {
  readonly name: string;
  run(parameters: PlannedStep["parameters"], context: StepContext): Promise<StepOutcome>;
  /** Puts back what `run` changed, from what it remembered. */
  undo?(parameters: PlannedStep["parameters"], context: StepContext): Promise<void>;
}

export interface StepOutcome {
  /** `repaired`: prove it now. `nothing-to-do`: go on. `insufficient`: go on, it did not suffice. */
  readonly result: "repaired" | "nothing-to-do" | "insufficient";
  readonly message: string;
}

export interface Diagnosis {
  readonly strategy: string;
  /** Whether anything is wrong that this strategy could repair. */
  readonly healthy: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly message: string;
    readonly evidence?: { readonly [key: string]: Json };
  }[];
  /** In no order: the engine ranks those of one strategy by risk, then cost. */
  readonly steps: readonly PlannedStep[];
  /** Why it cannot repair what it found, and what a person can do; undefined when it can. */
  readonly refusal?: { readonly message: string; readonly hint: string };
}

/** One way of looking at a broken service, and of repairing it. Strategies are asked in order. */
export interface RecoveryStrategy {
  readonly name: string;
  /**
   * Looks, and changes nothing. With `force` it offers its steps although it finds nothing wrong. A
   * throw is a finding of its own, and the next strategy is asked.
   */
  diagnose(context: { signal: AbortSignal; force?: boolean }): Promise<Diagnosis>;
  readonly actions: readonly StepAction[];
}
