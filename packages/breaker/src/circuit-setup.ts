import type { Clock, Random } from "@holdfast/core";
import type { BreakerEmitter } from "./breaker-events.ts";
import type { ResolvedCircuitOptions } from "./breaker-options.ts";
import type { BreakerStateStore } from "./breaker-state-store.ts";

export interface CircuitSetup {
  breaker: string;
  /** Undefined for the parent's own circuit. */
  operation: string | undefined;
  enabled: boolean;
  pollMs: number;
  storeTimeoutMs: number;
  rules: ResolvedCircuitOptions;
  clock: Clock;
  random: Random;
  store: BreakerStateStore | undefined;
  emitter: BreakerEmitter;
}

/** Calls of this process since it began. */
export interface CallCounts {
  succeeded: number;
  failed: number;
  ignored: number;
  timedOut: number;
  refused: number;
  /** Outcomes that came too late to decide anything. */
  stale: number;
}
