import { describe, expect, test } from "@jest/globals";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { bindOpenTelemetry, type MetricMapping } from "../src/index.ts";
import { MEMORY_MAPPING } from "./memory-mapping.ts";
import { after, scratchStore } from "./scratch.ts";

const DATABASE_CALLS: MetricMapping = {
  name: "db_client_operation_duration_seconds",
  help: "Duration of database client operations.",
  type: "histogram",
  source: { operations: "all" },
  otel: {
    name: "db.client.operation.duration",
    attributes: ({ operation, outcome }) => ({
      "db.system.name": "chroma",
      "db.operation.name": operation ?? "",
      ...(outcome === "success" ? {} : { "error.type": outcome ?? "" }),
    }),
  },
};

function meterOf(): { provider: MeterProvider; read: () => Promise<Map<string, MetricData>> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  after(() => void provider.shutdown());
  const read = async (): Promise<Map<string, MetricData>> => {
    exporter.reset();
    await provider.forceFlush();
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
  };
  return { provider, read };
}

describe("OpenTelemetry", () => {
  test("records reach the instruments of the real SDK under the mapped names", async () => {
    const { store } = scratchStore();
    const { provider, read } = meterOf();
    store.record("search", "success", 99);
    bindOpenTelemetry(store, provider.getMeter("test"), [...MEMORY_MAPPING, DATABASE_CALLS]);
    store.record("search", "success", 30);
    store.record("search", "timeout", 700);
    store.record("add", "stored", 5);
    store.gauge("queue.oldest-age-ms", 2_500);
    store.lifecycle.breakerTransition("chroma", "closed", "open");

    const metrics = await read();
    const points = (name: string): unknown[] =>
      (metrics.get(name)?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value]);
    expect(metrics.get("db.client.operation.duration")?.descriptor.unit).toBe("s");
    expect(metrics.get("memory_operation_duration")?.descriptor.unit).toBe("s");
    expect(points("db.client.operation.duration")).toEqual([
      [
        { "db.system.name": "chroma", "db.operation.name": "search" },
        expect.objectContaining({ count: 1, sum: 0.03 }),
      ],
      [
        { "db.system.name": "chroma", "db.operation.name": "search", "error.type": "timeout" },
        expect.objectContaining({
          count: 1,
          buckets: {
            boundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
            counts: [0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
          },
        }),
      ],
      [
        { "db.system.name": "chroma", "db.operation.name": "add", "error.type": "stored" },
        expect.objectContaining({ count: 1 }),
      ],
    ]);
    expect(points("memory_captures")).toEqual([[{ outcome: "stored" }, 1]]);
    expect(points("memory_queue_oldest_age")).toEqual([[{}, 2.5]]);
    expect(points("memory_breaker_transitions")).toEqual([[{}, 1]]);
    expect(points("memory_breaker_state")).toEqual([
      [{ state: "closed" }, 0],
      [{ state: "open" }, 1],
    ]);
    expect(points("memory_build_info")).toEqual([[{ version: "1.2.3" }, 1]]);
  });

  test("ending the binding ends it", async () => {
    const { store } = scratchStore();
    const { provider, read } = meterOf();
    const end = bindOpenTelemetry(store, provider.getMeter("test"), MEMORY_MAPPING);
    store.record("add", "stored", 5);
    end();
    store.record("add", "stored", 5);
    const metrics = await read();
    expect(metrics.get("memory_captures")?.dataPoints[0]?.value).toBe(1);
    expect(metrics.get("memory_build_info")?.dataPoints ?? []).toEqual([]);
  });
});
