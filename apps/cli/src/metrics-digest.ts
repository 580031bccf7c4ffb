import { memoryOutcomeClass } from "@holdfast/memory/service";
import { type MetricsEvent, MetricsStore, type MetricsSummary } from "@holdfast/metrics";
import { FAILED_EVENT, LAST_SUCCESS_GAUGE } from "./metrics.ts";
import { metricsFileOf, type Workspace } from "./workspace.ts";

/** What a status page has room for. Times are wall-clock milliseconds. */
export interface MetricsDigest {
  fromMs: number;
  toMs: number;
  /** What the memory was asked, and what the store was asked for it. */
  memory: Tally;
  store: Tally;
  last: LastRuns;
}

export interface Tally {
  total: number;
  failed: number;
  /** Of those that succeeded or failed; null when there was neither. */
  successRate: number | null;
  outcomes: Record<string, number>;
  /** 95th percentile by operation, in milliseconds. */
  p95Ms: Record<string, number | null>;
}

export interface LastRuns {
  success: LastRun | undefined;
  failure: LastRun | undefined;
}

export interface LastRun {
  operation: string;
  atMs: number;
  /** Of a failure. */
  code?: string;
  message?: string;
}

/** @throws SqliteError when the file cannot be read. */
export function digestMetrics(workspace: Workspace, since: string): MetricsDigest {
  using metrics = new MetricsStore({
    path: metricsFileOf(workspace),
    classify: memoryOutcomeClass,
  });
  const { fromMs, toMs, operations, gauges } = metrics.summary({ since });
  const ofStore = ({ operation }: { operation: string }): boolean => operation.startsWith("store.");
  return {
    fromMs,
    toMs,
    memory: tally(operations.filter((each) => !ofStore(each))),
    store: tally(operations.filter(ofStore)),
    last: lastRuns(metrics, since, gauges),
  };
}

/** When something last went well, whenever that was, and the latest failure of the window. */
export function lastRuns(
  metrics: MetricsStore,
  since: string,
  gauges: MetricsSummary["gauges"],
): LastRuns {
  const successes = gauges.filter(({ name }) => name === LAST_SUCCESS_GAUGE);
  const latest = successes.toSorted((one, other) => other.value - one.value)[0];
  const [failure] = metrics.events({ since, kinds: [FAILED_EVENT], limit: 1 });
  return {
    success: latest && { operation: latest.labels["operation"] ?? "", atMs: latest.value },
    failure: failure && failedRun(failure),
  };
}

function tally(operations: MetricsSummary["operations"]): Tally {
  const outcomes: Record<string, number> = {};
  let [total, succeeded, failed] = [0, 0, 0];
  for (const operation of operations) {
    total += operation.total;
    succeeded += operation.succeeded;
    failed += operation.failed;
    for (const [outcome, count] of Object.entries(operation.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  const judged = succeeded + failed;
  return {
    total,
    failed,
    successRate: judged === 0 ? null : succeeded / judged,
    outcomes,
    p95Ms: Object.fromEntries(
      operations.map(({ operation, durations }) => [operation, durations.p95Ms]),
    ),
  };
}

function failedRun({ subject, atMs, data }: MetricsEvent): LastRun {
  const { code, message } = data;
  return {
    operation: subject,
    atMs,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof message === "string" ? { message } : {}),
  };
}
