import { durationMs } from "@holdfast/core";
import type { MetricsOptions, SloObjective } from "@holdfast/metrics";
import { metricsFileOf, type Workspace } from "./workspace.ts";

/** What a workspace's configuration says of its metrics; its objectives stand apart. */
export function metricsOptions(workspace: Workspace): MetricsOptions {
  const { metrics } = workspace.config;
  return {
    path: metricsFileOf(workspace),
    flushIntervalMs: durationMs(metrics.flush_interval),
    slowMs: durationMs(metrics.slow),
    eventKeepMs: durationMs(metrics.event_keep),
    eventsPerKindMax: metrics.events_per_kind_max,
    seriesMax: metrics.series_max,
  };
}

/** What is promised without a word in the configuration: where more fails, the budget is gone. */
const STANDING = { memory: 0.999, store: 0.99 } as const;

/** The standing promise of the memory or its store, unless the configuration makes another. */
export function standingObjective(
  { config }: Workspace,
  name: keyof typeof STANDING,
  operations: readonly string[],
): SloObjective {
  const own = config.metrics.slo.find((slo) => slo.name === name);
  if (own === undefined) return { name, objective: STANDING[name], operations };
  return { operations, ...objectiveOf(own) };
}

/** The further promises that the configuration makes. */
export function furtherObjectives({ config }: Workspace): SloObjective[] {
  return config.metrics.slo.filter(({ name }) => !Object.hasOwn(STANDING, name)).map(objectiveOf);
}

function objectiveOf(slo: Workspace["config"]["metrics"]["slo"][number]): SloObjective {
  const { name, objective, period, operations, slow } = slo;
  return {
    name,
    objective,
    // A number means seconds here, as in every duration.
    period: typeof period === "number" ? `${period}s` : period,
    ...(operations === undefined ? {} : { operations }),
    ...(slow === undefined ? {} : { slowMs: durationMs(slow) }),
  };
}
