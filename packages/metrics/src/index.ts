export {
  mappingOf,
  type MetricMapping,
  type MetricSource,
  type OtelNames,
  SECOND_BOUNDS,
} from "./export-mapping.ts";
export type { MetricsLogger, MetricsStatus } from "./flusher.ts";
export { Histogram, HISTOGRAM_MAX, HISTOGRAM_MIN, QUANTILE_RELATIVE_ERROR } from "./histogram.ts";
export type { IncidentSummary } from "./incidents.ts";
export { EVENT_KINDS, type Lifecycle, type LifecycleTarget } from "./lifecycle.ts";
export type { Tier } from "./maintenance.ts";
export { MetricsError, type MetricsErrorCode } from "./metrics-error.ts";
export {
  DEFAULT_TIERS,
  METRICS_DEFAULTS,
  type MetricsOptions,
  type OutcomeClass,
} from "./metrics-options.ts";
export { type MetricsDeps, type MetricsSink, MetricsStore } from "./metrics-store.ts";
export { bindOpenTelemetry, type OpenTelemetryMeter } from "./opentelemetry.ts";
export type { DurationStats, OperationSummary } from "./operation-stats.ts";
export type { CounterTotal, GaugeValue, OperationTotal, Totals } from "./reader.ts";
export type { EventData, Labels, MetricsEvent } from "./series.ts";
export { type BurnRate, SLO_DEFAULTS, type SloObjective, type SloReport } from "./slo.ts";
export type { BreakerSummary, EventSummary, MetricsSummary } from "./summary.ts";
export { renderText, TEXT_CONTENT_TYPES, type TextFormat } from "./text-format.ts";
export type { Timeline, TimelinePoint, TimelineQuery } from "./timeline.ts";
export type { EventQuery, Moment, Window } from "./window.ts";
