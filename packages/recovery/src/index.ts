export type { CheckContext, CheckOutcome, CheckStatus, HealthCheck, Json } from "./check.ts";
export type {
  Diagnosis,
  PlannedStep,
  RecoveryStrategy,
  StepAction,
  StepContext,
  StepOutcome,
} from "./step.ts";
export { RecoveryError, type RecoveryErrorCode } from "./recovery-error.ts";
export type { Incident, IncidentState, IncidentStep, StepState } from "./engine/incident.ts";
export { planLines, type RecoveryPlan, type StrategyStep } from "./engine/plan.ts";
export {
  type PlanOptions,
  type RecoverOptions,
  RecoveryEngine,
  type RecoveryEngineDeps,
  type RecoveryEngineOptions,
  type RecoveryReport,
} from "./engine/recovery-engine.ts";
export type { JournalHold } from "./engine/journal-hold.ts";
export type { RecoveryEvent } from "./engine/recovery-event.ts";
export { type IncidentQuery, RecoveryJournal } from "./engine/recovery-journal.ts";
export type { CheckHistory } from "./health/check-history.ts";
export {
  type CheckReport,
  FRESH_INTERVALS,
  HEALTH_DEFAULTS,
  HealthLoop,
  type HealthLoopDeps,
  type HealthLoopOptions,
  type HealthReport,
} from "./health/health-loop.ts";
export { type CheckResult, runChecks, type RunChecksOptions } from "./health/run-checks.ts";
export {
  type CheckStanding,
  type ServiceStatus,
  serviceStatus,
  worstStatus,
} from "./health/service-status.ts";
export type {
  OrchestratedExit,
  OrchestratedState,
  Orchestrator,
} from "./orchestrate/orchestrator.ts";
export {
  ChildOrchestrator,
  type ChildOrchestratorOptions,
} from "./orchestrate/child-orchestrator.ts";
export {
  CommandOrchestrator,
  type CommandOrchestratorOptions,
} from "./orchestrate/command-orchestrator.ts";
export {
  restartStrategy,
  type RestartStrategyDeps,
  type RestartStrategyOptions,
} from "./orchestrate/restart-strategy.ts";
export {
  SystemdOrchestrator,
  type SystemdOrchestratorOptions,
} from "./orchestrate/systemd-orchestrator.ts";
export {
  RESTART_DEFAULTS,
  type RestartDecision,
  RestartPolicy,
  type RestartPolicyOptions,
} from "./supervise/restart-policy.ts";
export type { SupervisorEvent } from "./supervise/supervisor-event.ts";
export {
  Supervisor,
  SUPERVISOR_DEFAULTS,
  type SupervisorDeps,
  type SupervisorOptions,
} from "./supervise/supervisor.ts";
export { DiskForecast, type DiskForecastOptions, type Forecast } from "./detect/disk-forecast.ts";
export { ErrorRate, type ErrorRateEstimate, type ErrorRateOptions } from "./detect/error-rate.ts";
export { type Drift, LatencyDrift, type LatencyDriftOptions } from "./detect/latency-drift.ts";
export { PhiAccrual, type PhiAccrualOptions } from "./detect/phi-accrual.ts";
export {
  commandCheck,
  type CommandCheckOptions,
  httpCheck,
  type HttpCheckOptions,
  type ServiceCheckOptions,
  tcpCheck,
  type TcpCheckOptions,
} from "./health/service-checks.ts";
export { causeOf } from "./supervise/standing.ts";
