import { MEMORY_OPERATIONS, memoryOutcomeClass, STORE_OPERATIONS } from "@holdfast/memory";
import {
  EVENT_KINDS,
  type IncidentSummary,
  type MetricsEvent,
  type MetricsStatus,
  MetricsStore,
  type MetricsSummary,
  type OperationSummary,
  type SloReport,
  type TimelinePoint,
} from "@holdfast/metrics";
import { type LastRuns, lastRuns } from "./metrics-digest.ts";
import { furtherObjectives, metricsOptions, standingObjective } from "./metrics-options.ts";
import type { Workspace } from "./workspace.ts";

type Point = Omit<TimelinePoint, "ignored">;

/** Operations of one kind over a window: all together, and each. */
interface View {
  overall: OperationSummary;
  operations: OperationSummary[];
  timeline: { stepMs: number; points: Point[] };
  slowest: MetricsSummary["slowest"];
  /** The promise, and how much of what it allows to fail is left. */
  objective: SloReport | undefined;
}

/** What all processes of a workspace recorded. Times are wall-clock milliseconds. */
export interface MetricsReport {
  fromMs: number;
  toMs: number;
  /** How much earlier than `fromMs` a record may be. */
  resolutionMs: number;
  /** What the memory was asked. */
  memory: View;
  /** What the store was asked for it. */
  store: View;
  /** The further promises that the configuration makes. */
  objectives: SloReport[];
  /** Writes given to be kept, by outcome. */
  captures: Record<string, number>;
  breaker: {
    /** From closed to open by failures, orders left out. */
    trips: number;
    /** Transitions by an operator's order. */
    orders: number;
    last: MetricsEvent | null;
  };
  recovery: MetricsSummary["recovery"];
  /** Only where a keeper watches; undefined where nobody would have noticed an outage. */
  incidents: IncidentSummary | undefined;
  last: LastRuns;
  file: MetricsStatus;
}

/**
 * @throws MetricsError `METRICS_WINDOW_INVALID`; SqliteError when the file cannot be read.
 */
export function readMetrics(workspace: Workspace, since: string): MetricsReport {
  const memory = summaryOf(workspace, "memory", MEMORY_OPERATIONS, since);
  const store = summaryOf(workspace, "store", STORE_OPERATIONS, since);
  const { fromMs, toMs, resolutionMs, recovery, incidents, counters } = memory.summary;
  const counted = (name: string): MetricsSummary["counters"] =>
    counters.filter((counter) => counter.name === name);
  return {
    fromMs,
    toMs,
    resolutionMs,
    memory: memory.view,
    store: store.view,
    objectives: objectivesOf(workspace),
    captures: Object.fromEntries(
      counted("captures").map(({ labels, value }) => [labels["outcome"] ?? "", value]),
    ),
    breaker: transitionsOf(memory.transitions),
    recovery,
    incidents: workspace.dataDirectory === undefined ? undefined : incidents,
    last: memory.last,
    file: memory.summary.status,
  };
}

interface Summarised {
  summary: MetricsSummary;
  view: View;
  last: LastRuns;
  transitions: readonly MetricsEvent[];
}

/** Only these operations count; the others are left out of totals, rates and percentiles. */
function summaryOf(
  workspace: Workspace,
  name: "memory" | "store",
  operations: readonly string[],
  since: string,
): Summarised {
  const mine = new Set(operations);
  using metrics = new MetricsStore({
    ...metricsOptions(workspace),
    classify: (operation, outcome) =>
      mine.has(operation) ? memoryOutcomeClass(operation, outcome) : "ignored",
    slos: [standingObjective(workspace, name, operations)],
  });
  const summary = metrics.summary({ since });
  const own = summary.operations.filter(({ operation }) => mine.has(operation));
  const ignored = own.reduce((sum, operation) => sum + operation.ignored, 0);
  const { succeeded, failed } = summary.overall;
  const overall = { ...summary.overall, ignored, total: succeeded + failed + ignored };
  return {
    summary,
    view: {
      overall: { ...overall, outcomes: sumOf(own) },
      operations: own,
      timeline: {
        stepMs: summary.timeline.stepMs,
        // Here the other operations are among the ignored.
        points: summary.timeline.points.map((point) => ({ ...point, ignored: undefined })),
      },
      slowest: summary.slowest.filter(({ operation }) => mine.has(operation)),
      objective: summary.slos[0],
    },
    last: lastRuns(metrics, since, summary.gauges),
    transitions: metrics.events({ since, kinds: [EVENT_KINDS.breakerTransition] }),
  };
}

/** They may speak of any operation, the memory's and the store's. */
function objectivesOf(workspace: Workspace): SloReport[] {
  const slos = furtherObjectives(workspace);
  if (slos.length === 0) return [];
  using metrics = new MetricsStore({
    ...metricsOptions(workspace),
    classify: memoryOutcomeClass,
    slos,
  });
  return metrics.summary().slos;
}

function transitionsOf(transitions: readonly MetricsEvent[]): MetricsReport["breaker"] {
  const ordered = transitions.filter(({ data }) => data["forced"] !== undefined);
  const trips = transitions.filter(
    ({ data }) =>
      data["forced"] === undefined && data["from"] === "closed" && data["to"] === "open",
  );
  return { trips: trips.length, orders: ordered.length, last: transitions.at(-1) ?? null };
}

function sumOf(operations: readonly OperationSummary[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { outcomes } of operations)
    for (const [outcome, count] of Object.entries(outcomes))
      sums[outcome] = (sums[outcome] ?? 0) + count;
  return sums;
}
