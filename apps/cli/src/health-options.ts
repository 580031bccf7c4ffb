import type { Config } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import {
  type HealthLoopOptions,
  RESTART_DEFAULTS,
  type RestartPolicyOptions,
} from "@holdfast/recovery";

/** How the configuration wants the store to be looked at. */
export function healthOptions({
  health,
}: Config): Required<Omit<HealthLoopOptions, "anxiousMs">> & { canary: boolean } {
  return {
    intervalMs: durationMs(health.interval),
    timeoutMs: durationMs(health.timeout),
    failureThreshold: health.failure_threshold,
    successThreshold: health.success_threshold,
    canary: health.canary,
  };
}

/** How often, and how soon after one another, it may be tried to bring the store back. */
export function restartOptions({ recovery }: Config): RestartPolicyOptions {
  return {
    attemptsMax: recovery.attempts_max,
    windowMs: durationMs(recovery.attempts_window),
    backoff: {
      baseMs: RESTART_DEFAULTS.backoff.baseMs,
      maxMs: durationMs(recovery.backoff_max),
    },
  };
}
