import {
  checkMapping,
  coversOperation,
  exportedLabels,
  type MetricMapping,
  scaleOf,
  SECOND_BOUNDS,
} from "./export-mapping.ts";
import { Histogram } from "./histogram.ts";
import type { Totals } from "./reader.ts";

export type TextFormat = "openmetrics" | "prometheus";

/** What to send as `Content-Type` with each format. */
export const TEXT_CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

interface Sample {
  suffix: string;
  labels: Record<string, string>;
  value: number;
}

/**
 * Renders totals as Prometheus text (0.0.4, the default) or OpenMetrics text (1.0.0). Metrics
 * without a sample are left out.
 * @throws MetricsError `METRICS_MAPPING_INVALID`.
 */
export function renderText(
  totals: Totals,
  mapping: readonly MetricMapping[],
  format: TextFormat = "prometheus",
): string {
  checkMapping(mapping);
  const lines: string[] = [];
  for (const metric of mapping) {
    const samples = samplesOf(totals, metric);
    if (samples.length === 0) continue;
    const { name, family } = namesOf(metric, format);
    lines.push(`# HELP ${family} ${escapeHelp(metric.help, format)}`);
    lines.push(`# TYPE ${family} ${metric.type}`);
    for (const { suffix, labels, value } of samples) {
      lines.push(`${name}${suffix}${renderLabels(labels)} ${renderNumber(value)}`);
    }
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function namesOf(metric: MetricMapping, format: TextFormat): { name: string; family: string } {
  // OpenMetrics names a counter's family without the suffix that its samples carry.
  const bare = format === "openmetrics" && metric.type === "counter";
  return { name: metric.name, family: bare ? metric.name.replace(/_total$/, "") : metric.name };
}

function samplesOf(totals: Totals, metric: MetricMapping): Sample[] {
  if (metric.type === "histogram") return histogramSamples(totals, metric);
  const values = new Map<string, { labels: Record<string, string>; value: number; atMs: number }>();
  for (const { labels, value, atMs } of sourceValues(totals, metric)) {
    const exported = exportedLabels(metric, labels);
    const key = renderLabels(exported);
    const same = values.get(key);
    if (same === undefined) values.set(key, { labels: exported, value, atMs });
    else if (metric.type === "counter") same.value += value;
    else if (atMs >= same.atMs) values.set(key, { labels: exported, value, atMs });
  }
  const scale = scaleOf(metric);
  return [...values.values()].map(({ labels, value }) => ({
    suffix: "",
    labels,
    value: value * scale,
  }));
}

function sourceValues(
  totals: Totals,
  { source }: MetricMapping,
): { labels: Record<string, string>; value: number; atMs: number }[] {
  if ("constant" in source) return [{ labels: {}, value: source.constant, atMs: 0 }];
  if ("gauge" in source) return totals.gauges.filter(({ name }) => name === source.gauge);
  if ("counter" in source) {
    return totals.counters
      .filter(({ name }) => name === source.counter)
      .map(({ labels, value }) => ({ labels, value, atMs: 0 }));
  }
  return totals.operations
    .filter(({ operation }) => coversOperation(source, operation))
    .map(({ operation, outcome, histogram }) => ({
      labels: { operation, outcome },
      value: histogram.count,
      atMs: 0,
    }));
}

function histogramSamples(totals: Totals, metric: MetricMapping): Sample[] {
  const merged = new Map<string, { labels: Record<string, string>; histogram: Histogram }>();
  for (const { operation, outcome, histogram } of totals.operations) {
    if (!coversOperation(metric.source, operation)) continue;
    const labels = exportedLabels(metric, { operation, outcome });
    const key = renderLabels(labels);
    const same = merged.get(key) ?? { labels, histogram: new Histogram() };
    same.histogram.merge(histogram);
    merged.set(key, same);
  }
  const scale = scaleOf(metric);
  return [...merged.values()].flatMap(({ labels, histogram }) => [
    ...(metric.bounds ?? SECOND_BOUNDS).map((bound) => ({
      suffix: "_bucket",
      labels: { ...labels, le: renderNumber(bound) },
      value: histogram.countAtMost(bound / scale),
    })),
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: histogram.count },
    { suffix: "_sum", labels, value: histogram.sum * scale },
    { suffix: "_count", labels, value: histogram.count },
  ]);
}

function renderLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function renderNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : `${value > 0 ? "+" : "-"}Inf`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** OpenMetrics escapes quotes in help texts too; Prometheus would show the backslash. */
function escapeHelp(help: string, format: TextFormat): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
