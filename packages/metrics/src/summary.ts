import type { MetricsStatus } from "./flusher.ts";
import { type IncidentSummary, incidentSummary } from "./incidents.ts";
import { EVENT_KINDS } from "./lifecycle.ts";
import type { ResolvedOptions } from "./metrics-options.ts";
import { OperationStats, type OperationSummary } from "./operation-stats.ts";
import type { CounterTotal, GaugeValue, MetricsReader, StoredCell } from "./reader.ts";
import { type MetricsEvent, parseLabels } from "./series.ts";
import { type SloReport, sloReport } from "./slo.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

export interface MetricsSummary {
  /** The window: milliseconds since the epoch, `toMs` excluded. */
  fromMs: number;
  toMs: number;
  /** The widest bucket that it includes: how much earlier than `fromMs` a record may be. */
  resolutionMs: number;
  /** All operations together; its name is `*`. */
  overall: OperationSummary;
  /** Each operation, the busiest first. */
  operations: OperationSummary[];
  /** The overall course, for a sparkline; its points carry the moving average. */
  timeline: Timeline;
  /** The ten slowest among the slow runs that were kept one by one. */
  slowest: { operation: string; outcome: string; durationMs: number; atMs: number }[];
  breaker: BreakerSummary;
  recovery: { attempts: number; succeeded: number; failed: number; last: MetricsEvent | null };
  incidents: IncidentSummary;
  deployments: EventSummary;
  backups: EventSummary;
  slos: SloReport[];
  /** What each counter gained within the window. */
  counters: CounterTotal[];
  /** Every gauge's latest value, whenever it was set: see `atMs`. */
  gauges: GaugeValue[];
  status: MetricsStatus;
}

export interface BreakerSummary {
  /** From closed to open. */
  trips: number;
  /** From half-open back to open: a probe failed. */
  reopened: number;
  /** To closed. */
  closed: number;
  last: MetricsEvent | null;
}

export interface EventSummary {
  count: number;
  last: MetricsEvent | null;
}

const SLOWEST_MAX = 10;

/** What a status page shows about a window, in one object. */
export function summarise(
  reader: MetricsReader,
  options: ResolvedOptions,
  fromMs: number,
  toMs: number,
  nowMs: number,
): Omit<MetricsSummary, "status"> {
  const cells = reader.cells("operation", fromMs, toMs);
  const { overall, operations } = operationsOf(cells, options);
  const finestMs = options.tiers[0]?.resolutionMs ?? 0;
  const events = reader.events(fromMs, toMs);
  const incidentEvents = reader.events(0, toMs, [
    EVENT_KINDS.incidentOpened,
    EVENT_KINDS.incidentClosed,
  ]);
  const ofKind = (kind: string): MetricsEvent[] => events.filter((event) => event.kind === kind);
  const observed = overall.total > 0 || events.length > 0;
  return {
    fromMs,
    toMs,
    resolutionMs: cells.reduce((widest, cell) => Math.max(widest, cell.resolutionMs), finestMs),
    overall,
    operations,
    timeline: timelineOf(cells, options, {}, { fromMs, toMs }, nowMs),
    slowest: slowest(ofKind(EVENT_KINDS.slowOperation)),
    breaker: breakerSummary(ofKind(EVENT_KINDS.breakerTransition)),
    recovery: recoverySummary(ofKind(EVENT_KINDS.recoveryAttempt)),
    incidents: incidentSummary(incidentEvents, fromMs, toMs, observed),
    deployments: eventSummary(ofKind(EVENT_KINDS.deployment)),
    backups: eventSummary(ofKind(EVENT_KINDS.backup)),
    slos: options.slos.map((slo) => sloReport(reader, options, slo, nowMs)),
    counters: countersOf(reader, fromMs, toMs),
    gauges: reader.gauges(),
  };
}

function operationsOf(
  cells: readonly StoredCell[],
  options: ResolvedOptions,
): { overall: OperationSummary; operations: OperationSummary[] } {
  const byName = new Map<string, OperationStats>();
  for (const cell of cells) {
    let stats = byName.get(cell.name);
    if (stats === undefined) {
      stats = new OperationStats(options);
      byName.set(cell.name, stats);
    }
    stats.add(cell);
  }
  const all = new OperationStats(options);
  for (const stats of byName.values()) all.merge(stats);
  const operations = [...byName].map(([name, stats]) => stats.summary(name));
  return {
    overall: all.summary("*"),
    operations: operations.toSorted((one, other) => other.total - one.total),
  };
}

function countersOf(reader: MetricsReader, fromMs: number, toMs: number): CounterTotal[] {
  const byKey = new Map<string, CounterTotal>();
  for (const { name, labels, sum } of reader.cells("counter", fromMs, toMs)) {
    const key = `${name}\n${labels}`;
    const value = (byKey.get(key)?.value ?? 0) + sum;
    byKey.set(key, { name, labels: parseLabels(labels), value });
  }
  return [...byKey.values()];
}

function slowest(events: readonly MetricsEvent[]): MetricsSummary["slowest"] {
  return events
    .map(({ atMs, subject, data }) => ({
      operation: subject,
      outcome: String(data["outcome"]),
      durationMs: Number(data["durationMs"]),
      atMs,
    }))
    .toSorted((one, other) => other.durationMs - one.durationMs)
    .slice(0, SLOWEST_MAX);
}

function breakerSummary(transitions: readonly MetricsEvent[]): BreakerSummary {
  const between = (from: string | undefined, to: string): number =>
    transitions.filter(
      ({ data }) => data["to"] === to && (from === undefined || data["from"] === from),
    ).length;
  return {
    trips: between("closed", "open"),
    reopened: between("half-open", "open"),
    closed: between(undefined, "closed"),
    last: transitions.at(-1) ?? null,
  };
}

function recoverySummary(attempts: readonly MetricsEvent[]): MetricsSummary["recovery"] {
  const succeeded = attempts.filter(({ data }) => data["outcome"] === "success").length;
  return {
    attempts: attempts.length,
    succeeded,
    failed: attempts.length - succeeded,
    last: attempts.at(-1) ?? null,
  };
}

function eventSummary(events: readonly MetricsEvent[]): EventSummary {
  return { count: events.length, last: events.at(-1) ?? null };
}
