import type { CheckOutcome, Json } from "../check.ts";
import type { Diagnosis, PlannedStep, StepOutcome } from "../step.ts";

/**
 * `running`: at work, or cut off; `recovered`: proved; `failed`: everything was tried; `refused`:
 * what is left needs a person; `aborted`: it was told to stop.
 */
export type IncidentState = "running" | "recovered" | "failed" | "refused" | "aborted";

/** `skipped`: a later plan made it needless. */
export type StepState =
  | "planned"
  | "running"
  | StepOutcome["result"]
  | "failed"
  | "undone"
  | "undo-failed"
  | "skipped";

/** One recovery, as it is kept. All times are wall-clock milliseconds. */
export interface Incident {
  id: string;
  service: string;
  /** Who or what asked for it: `memory recover`, `3 failures of canary`. */
  trigger: string;
  state: IncidentState;
  /** When the trouble was noticed. */
  since: number;
  /** When the recovery began, and ended. */
  openedAt: number;
  closedAt: number | undefined;
  /** How it ended, in one line; empty while it runs. */
  message: string;
  /** The next command, when a person has to do something. */
  hint: string | undefined;
  /** How often a later process took it up after a kill. */
  resumed: number;
  /** What the last plan was made from. */
  diagnoses: readonly Diagnosis[];
  steps: readonly IncidentStep[];
  notes: readonly { at: number; step: number; message: string }[];
  /** The last proof asked for. */
  proof: CheckOutcome | undefined;
}

export interface IncidentStep {
  /** From 0, in the order of the plans. */
  ordinal: number;
  strategy: string;
  planned: PlannedStep;
  state: StepState;
  /** How often it was begun: more than once after a kill. */
  attempts: number;
  remembered: { readonly [key: string]: Json } | undefined;
  message: string;
  beganAt: number | undefined;
  endedAt: number | undefined;
}
