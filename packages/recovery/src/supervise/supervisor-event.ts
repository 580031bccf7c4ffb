import type { RecoveryReport } from "../engine/recovery-engine.ts";
import type { HealthReport } from "../health/health-loop.ts";
import type { ServiceStatus } from "../health/service-status.ts";
import type { OrchestratedExit } from "../orchestrate/orchestrator.ts";
import type { RestartDecision } from "./restart-policy.ts";

/** What a supervisor sees and does, in the order in which it happens. */
export type SupervisorEvent =
  | { type: "checked"; report: HealthReport }
  | { type: "status"; from: ServiceStatus; to: ServiceStatus; report: HealthReport }
  | { type: "exit"; exit: OrchestratedExit }
  | { type: "decided"; decision: RestartDecision }
  /** It serves again: by itself when there is no `by`. `downMs` since the trouble was noticed. */
  | { type: "recovered"; by?: "restart" | RecoveryReport; downMs: number }
  | { type: "attempt-failed"; attempt: number; message: string; hint: string | undefined }
  /** No more attempts until it serves, or `resume` is called. */
  | { type: "gave-up"; message: string; hint: string | undefined };
