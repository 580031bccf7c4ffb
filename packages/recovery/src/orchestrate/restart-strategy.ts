import type { HealthCheck } from "../check.ts";
import { runChecks } from "../health/run-checks.ts";
import type { Diagnosis, PlannedStep, RecoveryStrategy } from "../step.ts";
import type { Orchestrator } from "./orchestrator.ts";

export interface RestartStrategyOptions {
  /** Default `service`. */
  name?: string;
  /** What a restart may cost, in milliseconds, for ranking. Default 10000. */
  costMs?: number;
}

/** Restarts a service that does not run, or of which one of the checks fails. */
export function restartStrategy(
  { name = "service", costMs = 10_000 }: RestartStrategyOptions,
  { orchestrator, checks }: { orchestrator: Orchestrator; checks: readonly HealthCheck[] },
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
          return { result: "repaired", message: "it was restarted" };
        },
      },
    ],
  };
}
