import {
  checkMapping,
  coversOperation,
  exportedLabels,
  type MetricMapping,
  scaleOf,
  SECOND_BOUNDS,
} from "./export-mapping.ts";
import type { MetricsSink } from "./metrics-store.ts";
import type { Labels } from "./series.ts";

type Attributes = Record<string, string | number | boolean>;

interface InstrumentOptions {
  description: string;
  unit: string;
  advice?: { explicitBucketBoundaries: number[] };
}

interface ObservableResult {
  observe(value: number, attributes: Attributes): void;
}

/** What is used of the `Meter` of `@opentelemetry/api`, so that only those who have one need it. */
export interface OpenTelemetryMeter {
  createHistogram(
    name: string,
    options: InstrumentOptions,
  ): { record(value: number, attributes: Attributes): void };
  createCounter(
    name: string,
    options: InstrumentOptions,
  ): { add(value: number, attributes: Attributes): void };
  createGauge(
    name: string,
    options: InstrumentOptions,
  ): { record(value: number, attributes: Attributes): void };
  createObservableGauge(
    name: string,
    options: InstrumentOptions,
  ): {
    addCallback(callback: (result: ObservableResult) => void): void;
    removeCallback(callback: (result: ObservableResult) => void): void;
  };
}

/**
 * Mirrors what this process records, from now on, into OpenTelemetry instruments; the answer ends
 * it. Live records and not the file's totals: every process exports for itself, and totals of a
 * shared file would be counted once per process.
 * @throws MetricsError `METRICS_MAPPING_INVALID`.
 */
export function bindOpenTelemetry(
  store: { subscribe(sink: MetricsSink): () => void },
  meter: OpenTelemetryMeter,
  mapping: readonly MetricMapping[],
): () => void {
  checkMapping(mapping);
  const bound = mapping.map((metric) => bind(meter, metric));
  const unsubscribe = store.subscribe({
    record: (operation, outcome, durationMs) => {
      for (const metric of bound) metric.record?.(operation, outcome, durationMs);
    },
    count: (name, by, labels) => {
      for (const metric of bound) metric.count?.(name, by, labels);
    },
    gauge: (name, value, labels) => {
      for (const metric of bound) metric.gauge?.(name, value, labels);
    },
  });
  return () => {
    unsubscribe();
    for (const metric of bound) metric.end?.();
  };
}

type Bound = Partial<MetricsSink> & { end?: () => void };

function bind(meter: OpenTelemetryMeter, metric: MetricMapping): Bound {
  const { source } = metric;
  const name = metric.otel?.name ?? otelName(metric);
  const options = { description: metric.help, unit: metric.otel?.unit ?? unitOf(metric) };
  const scale = scaleOf(metric);
  const attributes = (labels: Labels): Attributes =>
    metric.otel?.attributes === undefined
      ? exportedLabels(metric, labels)
      : metric.otel.attributes(labels);
  if (metric.type === "histogram") {
    const explicitBucketBoundaries = [...(metric.bounds ?? SECOND_BOUNDS)];
    const histogram = meter.createHistogram(name, {
      ...options,
      advice: { explicitBucketBoundaries },
    });
    return {
      record: (operation, outcome, durationMs) => {
        if (!coversOperation(source, operation)) return;
        histogram.record(durationMs * scale, attributes({ operation, outcome }));
      },
    };
  }
  if (metric.type === "counter") {
    const counter = meter.createCounter(name, options);
    return {
      record: (operation, outcome) => {
        if (coversOperation(source, operation)) {
          counter.add(scale, attributes({ operation, outcome }));
        }
      },
      count: (counted, by, labels) => {
        if ("counter" in source && source.counter === counted) {
          counter.add(by * scale, attributes(labels));
        }
      },
    };
  }
  if ("constant" in source) {
    const observe = (result: ObservableResult): void =>
      result.observe(source.constant * scale, attributes({}));
    const gauge = meter.createObservableGauge(name, options);
    gauge.addCallback(observe);
    return { end: () => gauge.removeCallback(observe) };
  }
  const gauge = meter.createGauge(name, options);
  return {
    gauge: (set, value, labels) => {
      if ("gauge" in source && source.gauge === set) {
        gauge.record(value * scale, attributes(labels));
      }
    },
  };
}

function otelName({ name, type }: MetricMapping): string {
  const bare = type === "counter" ? name.replace(/_total$/, "") : name;
  return bare.replace(/_(seconds|bytes)$/, "");
}

function unitOf({ name }: MetricMapping): string {
  if (/_seconds(_total)?$/.test(name)) return "s";
  return /_bytes(_total)?$/.test(name) ? "By" : "1";
}
