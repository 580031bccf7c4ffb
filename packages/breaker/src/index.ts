export {
  BreakerDisposedError,
  BreakerOptionError,
  BreakerStoreError,
  BulkheadFullError,
  CallTimeoutError,
  CircuitOpenError,
  type RefusalReason,
} from "./breaker-error.ts";
export {
  type BreakerEvents,
  type BreakerListener,
  type FallbackEvent,
  type OutcomeEvent,
  type RejectEvent,
  type StoreEvent,
  type TransitionEvent,
  type ZombieEvent,
} from "./breaker-events.ts";
export { type BreakerExplanation } from "./breaker-explanation.ts";
export {
  BACKOFF_DEFAULTS,
  type BackoffRule,
  BREAKER_DEFAULTS,
  type BreakerOptions,
  type CircuitOptions,
  SLOW_CALL_DEFAULTS,
  type SlowCallRule,
  type TripRule,
} from "./breaker-options.ts";
export {
  type BreakerRecord,
  type ClosedRecord,
  type ErrorEvidence,
  type ForcedMode,
  type HalfOpenRecord,
  type OpenRecord,
  type StateName,
} from "./breaker-record.ts";
export {
  type BreakerStateStore,
  type MaybePromise,
  MemoryBreakerStateStore,
  type RecordChange,
} from "./breaker-state-store.ts";
export { type WindowCounts } from "./call-health.ts";
export { type Work } from "./call.ts";
export { type CallCounts } from "./circuit-setup.ts";
export { type BreakerDeps, CircuitBreaker, type ExecuteOptions } from "./circuit-breaker.ts";
export { SqliteBreakerStateStore } from "./sqlite-breaker-state-store.ts";
export { type Outcome } from "./transition.ts";
