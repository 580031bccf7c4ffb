import { type Clock, systemClock } from "@holdfast/core";
import type { HealthCheck } from "../check.ts";
import { runChecks } from "../health/run-checks.ts";
import type { Diagnosis, PlannedStep, RecoveryStrategy } from "../step.ts";
import type { Orchestrator } from "./orchestrator.ts";

export interface RestartStrategyOptions {
  /** Default `service`. */
  name?: string;
  /** What a restart may cost, in milliseconds, for ranking. Default 10000. */
  costMs?: number;
  /** How long it may take until the checks pass, in milliseconds. Default 30000. */
  startupMs?: number;
}

const POLL_MS = 250;

export interface RestartStrategyDeps {
  orchestrator: Orchestrator;
  checks: readonly HealthCheck[];
  clock?: Clock;
}

/** Restarts a service that does not run, or of which one of the checks fails. */
export function restartStrategy(
  { name = "service", costMs = 10_000, startupMs = 30_000 }: RestartStrategyOptions,
  { orchestrator, checks, clock = systemClock }: RestartStrategyDeps,
): RecoveryStrategy {
  const restart: PlannedStep = {
    action: "restart",
    parameters: {},
    title: `restart the service (${orchestrator.name})`,
    changes: ["the service's process is replaced; calls that it was answering are cut off"],
    risk: "low",
    costMs,
    reversal: "nothing",
  };
  return {
    name,
    diagnose: async ({ signal, force = false }): Promise<Diagnosis> => {
      const state = await orchestrator.state(signal);
      const results = await runChecks(checks, { signal });
      const findings = [
        ...(state === "running" || state === "unknown"
          ? []
          : [{ check: orchestrator.name, message: `it is ${state}` }]),
        ...results
          .filter(({ status }) => status === "fail")
          .map(({ check, message }) => ({ check, message })),
      ];
      const healthy = findings.length === 0;
      return { strategy: name, healthy, findings, steps: healthy && !force ? [] : [restart] };
    },
    actions: [
      {
        name: restart.action,
        run: async (_parameters, { signal }) => {
          await orchestrator.restart(signal);
          const deadline = clock.monotonic() + startupMs;
          for (;;) {
            const results = await runChecks(checks, { signal });
            const failed = results.find(({ status }) => status === "fail");
            if (failed === undefined) return { result: "repaired", message: "it was restarted" };
            if (clock.monotonic() >= deadline) {
              return { result: "insufficient", message: `it was restarted, and ${failed.message}` };
            }
            await clock.sleep(POLL_MS, signal);
          }
        },
      },
    ],
  };
}
