import type { CircuitBreaker } from "@holdfast/breaker";
import { HoldfastError } from "@holdfast/core";
import { memoryOutcomeClass } from "@holdfast/memory/service";
import { MetricsStore } from "@holdfast/metrics";
import { metricsOptions } from "./metrics-options.ts";
import type { Workspace } from "./workspace.ts";

/** An event of each run that failed; its subject is the operation. */
export const FAILED_EVENT = "operation.failed";
/** A gauge by operation: when it last went well, in wall-clock milliseconds. */
export const LAST_SUCCESS_GAUGE = "last-success-ms";

/** Opens the metrics of a workspace. Nothing is written before something is recorded. */
export function openMetrics(workspace: Workspace): MetricsStore {
  return new MetricsStore({ ...metricsOptions(workspace), classify: memoryOutcomeClass });
}

/** Records one run, when it last went well, and of a failure also why. Never throws. */
export function recordOutcome(
  metrics: MetricsStore,
  operation: string,
  outcome: string,
  durationMs: number,
  error?: unknown,
): void {
  metrics.record(operation, outcome, durationMs);
  const kind = memoryOutcomeClass(operation, outcome);
  if (kind === "success") metrics.gauge(LAST_SUCCESS_GAUGE, Date.now(), { operation });
  if (kind === "failure") metrics.event(FAILED_EVENT, operation, { outcome, ...causeOf(error) });
}

/** A refusal may quote what was refused, which somebody may forget later: its code must do. */
function causeOf(error: unknown): { code?: string; message?: string } {
  if (!(error instanceof Error)) return {};
  if (!(error instanceof HoldfastError)) return { code: error.name };
  return { code: error.code, ...(error.retryable ? { message: error.message } : {}) };
}

/** Records what goes through a breaker, and its changes of state that happen in this process. */
export function recordBreaker(breaker: CircuitBreaker, metrics: MetricsStore): void {
  breaker.on("outcome", ({ operation = "call", outcome, durationMs, timedOut, error }) => {
    const told = timedOut && outcome === "failure" ? "timeout" : outcome;
    recordOutcome(metrics, `store.${operation}`, told, durationMs, error);
  });
  breaker.on("transition", ({ breaker: name, operation, from, to, why, forced, origin }) => {
    // What another process moved, that process has recorded; a reset may have moved nothing.
    if (origin === "shared" || (from === to && forced === null)) return;
    const subject = operation === undefined ? name : `${name}/${operation}`;
    const order = forced === null ? {} : { forced: forced.mode };
    metrics.lifecycle.breakerTransition(subject, from, to, { why, ...order });
  });
}
