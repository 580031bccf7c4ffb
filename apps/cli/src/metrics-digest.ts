import { memoryOutcomeClass } from "@holdfast/memory/service";
import {
  EVENT_KINDS,
  type MetricsEvent,
  MetricsStore,
  type MetricsSummary,
} from "@holdfast/metrics";
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
  /** When a canary of a keeper or a monitor last came back; missing before the first. */
  canaryAt?: number;
  /** Since when the store is known not to serve; missing while it is not. */
  down?: StoreDown;
}

export interface StoreDown {
  sinceMs: number;
  reason: string;
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

const EVENTS_MAX = 50;

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
    ...canaryOf(gauges),
    ...downOf(metrics),
  };
}

function canaryOf(gauges: MetricsSummary["gauges"]): Pick<MetricsDigest, "canaryAt"> {
  const gauge = gauges.find(
    ({ name, labels }) => name === LAST_SUCCESS_GAUGE && labels["operation"] === "store.canary",
  );
  return gauge === undefined ? {} : { canaryAt: gauge.value };
}

/** By what keepers and monitors have seen, each of which opens an incident that it finds open anew. */
function downOf(metrics: MetricsStore): Pick<MetricsDigest, "down"> {
  const kinds = [EVENT_KINDS.incidentOpened, EVENT_KINDS.incidentClosed];
  const events = metrics.events({ since: 0, kinds, limit: EVENTS_MAX });
  const closed = events.findIndex(({ kind }) => kind === EVENT_KINDS.incidentClosed);
  const opened = closed === -1 ? events : events.slice(0, closed);
  const [latest] = opened;
  const first = opened.at(-1);
  if (latest === undefined || first === undefined) return {};
  return { down: { sinceMs: first.atMs, reason: String(latest.data["reason"] ?? "") } };
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
