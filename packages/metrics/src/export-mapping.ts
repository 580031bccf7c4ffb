import { MetricsError } from "./metrics-error.ts";
import type { Totals } from "./reader.ts";
import type { Labels } from "./series.ts";

/** Where an exported metric's values come from. */
export type MetricSource =
  | {
      /** These operations, or every one. A counter counts runs, a histogram their durations. */
      operations: readonly string[] | "all";
    }
  | { counter: string }
  | { gauge: string }
  | {
      /** The same number always, as for build information. */
      constant: number;
    };

/** One exported metric. Which metrics there are is the caller's to say: a list of these. */
export interface MetricMapping {
  /** Prometheus name, complete: with its unit, and `_total` if a counter. */
  name: string;
  help: string;
  type: "histogram" | "counter" | "gauge";
  source: MetricSource;
  /**
   * Exported label → its source: `operation` or `outcome` for operations, else a label's name.
   * Series that then look alike are added up (of gauges the newest counts). Default: all labels.
   */
  labels?: Readonly<Record<string, string>>;
  /** Labels that every sample carries. */
  constantLabels?: Labels;
  /** Multiplies every value. Default 0.001 for histograms (to seconds), else 1. */
  scale?: number;
  /** A histogram's upper bounds, in the exported unit, ascending. Default {@link SECOND_BOUNDS}. */
  bounds?: readonly number[];
  /** What OpenTelemetry calls it, where that differs; see `bindOpenTelemetry`. */
  otel?: OtelNames;
}

export interface OtelNames {
  /** Default: the Prometheus name without `_total` and unit, which its exporters add again. */
  name?: string;
  /** UCUM. Default `s`, `By` or `1`, by the Prometheus name. */
  unit?: string;
  /** Replaces the labels. Default: as they are. */
  attributes?: (labels: Labels) => Record<string, string | number | boolean>;
}

/** The OpenTelemetry semantic conventions' bounds for database operations, in seconds. */
export const SECOND_BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * A mapping for everything that was recorded: `<prefix>_operation_duration_seconds` and so on.
 * What is named in milliseconds (`-ms`, `Ms`) is exported in seconds, Prometheus' base unit.
 */
export function mappingOf(totals: Totals, prefix: string): MetricMapping[] {
  const counters = new Set(totals.counters.map(({ name }) => name));
  const gauges = new Set(totals.gauges.map(({ name }) => name));
  return [
    {
      name: `${prefix}_operation_duration_seconds`,
      help: "Duration of operations by outcome.",
      type: "histogram",
      source: { operations: "all" },
    },
    ...[...counters].map((counter): MetricMapping => {
      const { name, scale } = inBaseUnit(counter);
      const help = `Counter ${counter}.`;
      return { name: `${prefix}_${name}_total`, help, type: "counter", source: { counter }, scale };
    }),
    ...[...gauges].map((gauge): MetricMapping => {
      const { name, scale } = inBaseUnit(gauge);
      const help = `Gauge ${gauge}.`;
      return { name: `${prefix}_${name}`, help, type: "gauge", source: { gauge }, scale };
    }),
  ];
}

function inBaseUnit(name: string): { name: string; scale: number } {
  const bare = name.replace(/([^a-zA-Z]ms|Ms)$/, "");
  return bare === name
    ? { name: nameOf(name), scale: 1 }
    : { name: `${nameOf(bare)}_seconds`, scale: 0.001 };
}

/** @throws MetricsError `METRICS_MAPPING_INVALID` naming the first metric that is wrong, and why. */
export function checkMapping(mapping: readonly MetricMapping[]): void {
  const seen = new Set<string>();
  for (const metric of mapping) {
    const problem = problemOf(metric) ?? (seen.has(metric.name) ? "is there twice" : undefined);
    seen.add(metric.name);
    if (problem === undefined) continue;
    throw new MetricsError(`The mapping of ${metric.name} ${problem}`, {
      code: "METRICS_MAPPING_INVALID",
      hint: "See https://prometheus.io/docs/practices/naming/ for names and units.",
    });
  }
}

/** The labels that a series is exported under. */
export function exportedLabels(metric: MetricMapping, labels: Labels): Record<string, string> {
  const wanted = metric.labels;
  const chosen =
    wanted === undefined
      ? Object.entries(labels).map(([name, value]) => [nameOf(name), value])
      : Object.entries(wanted).map(([name, source]) => [name, labels[source] ?? ""]);
  return { ...metric.constantLabels, ...Object.fromEntries(chosen) };
}

export function scaleOf(metric: MetricMapping): number {
  return metric.scale ?? (metric.type === "histogram" ? 0.001 : 1);
}

export function coversOperation(source: MetricSource, operation: string): boolean {
  if (!("operations" in source)) return false;
  return source.operations === "all" || source.operations.includes(operation);
}

function problemOf({
  name,
  type,
  source,
  labels,
  constantLabels,
  bounds,
}: MetricMapping): string | undefined {
  if (!METRIC_NAME.test(name)) return "has a name that Prometheus does not allow";
  if (type === "counter" && !name.endsWith("_total")) return "is a counter without _total";
  if (type !== "counter" && name.endsWith("_total")) return "has _total and is no counter";
  if (type === "histogram" && !("operations" in source)) return "is a histogram of no operations";
  if (type === "counter" && ("gauge" in source || "constant" in source)) return "counts nothing";
  if (type === "gauge" && !("gauge" in source || "constant" in source)) return "is no gauge";
  const names = [...Object.keys(labels ?? {}), ...Object.keys(constantLabels ?? {})];
  const bad = names.find((label) => !LABEL_NAME.test(label) || label === "le");
  if (bad !== undefined) return `has the label ${bad}, which Prometheus does not allow`;
  const ascending = (bounds ?? []).every(
    (bound, at, all) => at === 0 || bound > (all[at - 1] ?? 0),
  );
  return ascending ? undefined : "has bounds that do not ascend";
}

function nameOf(text: string): string {
  const name = text.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  return /^[a-zA-Z]/.test(name) ? name : `x_${name}`;
}
