import { expect } from "@jest/globals";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "@holdfast/config";
import { MetricsStore, type SloReport } from "@holdfast/metrics";
import { FakeClock } from "@holdfast/core/testing";
import { metricsOptions } from "../../src/metrics-options.ts";
import { openMetrics } from "../../src/metrics.ts";
import { type MetricsReport, readMetrics } from "../../src/metrics-report.ts";
import { metricsFileOf, type Workspace, workspaceOf } from "../../src/workspace.ts";
import { type Bench, keyTests } from "./key-tests.ts";

const MINUTE_MS = 60_000;

keyTests("metrics", {
  flush_interval: async (bench) => {
    const file = metricsFileOf(configured(bench, "flush_interval: 0"));
    await withMetrics(bench, "flush_interval: 0", async (metrics) => {
      metrics.record("search", "success", 5);
      await sleep(100);
      expect(existsSync(file)).toBe(false);
    });
    await withMetrics(bench, "flush_interval: 10ms", async (metrics) => {
      metrics.record("search", "success", 5);
      for (let waited = 0; metrics.status().lastFlushAtMs === null; waited += 10) {
        expect(waited).toBeLessThan(10_000);
        await sleep(10);
      }
    });
  },
  slow: (bench) =>
    contrast(bench, ["slow: 100ms", "slow: 10s"], {
      record: (metrics) => metrics.record("search", "success", 500),
      read: ({ memory }) => memory.operations[0]?.slow,
      as: [1, 0],
    }),
  event_keep: async (bench) => {
    for (const [keep, trips] of [
      ["1s", 1],
      ["1h", 2],
    ] as const) {
      const workspace = configured(bench, `event_keep: ${keep}`, `of-${keep}`);
      const clock = new FakeClock(Date.now() - 10 * MINUTE_MS);
      const metrics = new MetricsStore(metricsOptions(workspace), { clock });
      for (let n = 0; n < 2; n += 1) {
        metrics.lifecycle.breakerTransition("store", "closed", "open");
        metrics.flush();
        await clock.advance(5 * MINUTE_MS);
      }
      metrics.close();
      expect({ keep, trips: readMetrics(workspace, "1h").breaker.trips }).toEqual({ keep, trips });
    }
  },
  events_per_kind_max: (bench) =>
    contrast(bench, ["events_per_kind_max: 2", ""], {
      record: (metrics) => {
        for (let n = 0; n < 5; n += 1)
          metrics.lifecycle.breakerTransition("store", "closed", "open");
      },
      read: ({ breaker }) => breaker.trips,
      as: [2, 5],
    }),
  series_max: (bench) =>
    contrast(bench, ["series_max: 1", ""], {
      record: (metrics) => {
        metrics.record("add", "success", 1);
        metrics.record("search", "success", 1);
      },
      read: ({ memory }) => memory.operations.length,
      as: [1, 2],
    }),
  "slo[].name": (bench) =>
    promises(bench, ["{name: memory, objective: 0.5}", "{name: other, objective: 0.5}"], {
      read: ({ memory, objectives }) => [memory.objective?.objective, objectives.length],
      as: [
        [0.5, 0],
        [0.999, 1],
      ],
    }),
  "slo[].objective": (bench) =>
    promises(bench, ["{name: p, objective: 0.5}", "{name: p, objective: 0.9}"], {
      read: ({ objectives: [own] }) => Math.round((own?.errorBudget.remaining ?? 0) * 100),
      as: [0, -400],
    }),
  "slo[].period": (bench) =>
    promises(bench, ["{name: p, objective: 0.5, period: 3600}", "{name: p, objective: 0.5}"], {
      read: ({ objectives: [own] }) => own?.periodMs,
      as: [60 * MINUTE_MS, 30 * 24 * 60 * MINUTE_MS],
    }),
  "slo[].operations": (bench) =>
    promises(bench, ["{name: p, objective: 0.5, operations: [add]}", "{name: p, objective: 0.5}"], {
      read: ({ objectives: [own] }) => ran(own),
      as: [1, 2],
    }),
  "slo[].slow": (bench) =>
    promises(bench, ["{name: p, objective: 0.5, slow: 1ms}", "{name: p, objective: 0.5}"], {
      read: ({ objectives: [own] }) => own?.bad,
      as: [2, 1],
    }),
});

interface Contrast {
  record: (metrics: MetricsStore) => void;
  read: (report: MetricsReport) => unknown;
  as: readonly [unknown, unknown];
}

/** One good run and one bad one, under either promise. */
async function promises(
  bench: Bench,
  slos: readonly [string, string],
  { read, as }: Pick<Contrast, "read" | "as">,
): Promise<void> {
  const record = (metrics: MetricsStore): void => {
    metrics.record("add", "success", 100);
    metrics.record("search", "error", 1);
  };
  await contrast(bench, [`slo: [${slos[0]}]`, `slo: [${slos[1]}]`], { record, read, as });
}

async function contrast(
  bench: Bench,
  keys: readonly [string, string],
  { record, read, as }: Contrast,
): Promise<void> {
  for (const [at, text] of keys.entries()) {
    const workspace = await withMetrics(bench, text, record, `of-${at}`);
    expect({ text, shows: read(readMetrics(workspace, "1h")) }).toEqual({ text, shows: as[at] });
  }
}

async function withMetrics(
  bench: Bench,
  keys: string,
  work: (metrics: MetricsStore) => void | Promise<void>,
  folder = "data",
): Promise<Workspace> {
  const workspace = configured(bench, keys, folder);
  const metrics = openMetrics(workspace);
  try {
    await work(metrics);
  } finally {
    metrics.close();
  }
  return workspace;
}

function configured(bench: Bench, keys: string, folder = "data"): Workspace {
  bench.configure(`vector_store: {config: {persist_directory: ${folder}}}\nmetrics: {${keys}}\n`);
  return workspaceOf(
    loadConfig({
      environment: {},
      workingDirectory: bench.folder,
      userDataDirectory: bench.folder,
    }),
  );
}

const ran = (slo: SloReport | undefined): number => (slo?.good ?? 0) + (slo?.bad ?? 0);
