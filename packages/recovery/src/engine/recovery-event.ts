import type { CheckOutcome } from "../check.ts";
import type { IncidentState, StepState } from "./incident.ts";
import type { RecoveryPlan } from "./plan.ts";

/** What a recovery does, told right after it was journaled. */
export type RecoveryEvent =
  | { type: "opened"; incident: string; trigger: string }
  | { type: "resumed"; incident: string; times: number }
  | { type: "planned"; incident: string; plan: RecoveryPlan }
  | { type: "step-began"; incident: string; step: string; title: string; attempt: number }
  | { type: "noted"; incident: string; step: string; message: string }
  | { type: "step-ended"; incident: string; step: string; state: StepState; message: string }
  | { type: "proved"; incident: string; proof: CheckOutcome }
  | { type: "closed"; incident: string; state: IncidentState; message: string };
