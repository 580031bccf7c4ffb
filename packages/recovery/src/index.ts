export type { CheckContext, CheckOutcome, CheckStatus, HealthCheck, Json } from "./check.ts";
export type {
  Diagnosis,
  PlannedStep,
  RecoveryStrategy,
  StepAction,
  StepContext,
  StepOutcome,
} from "./step.ts";
