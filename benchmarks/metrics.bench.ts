// What recording costs the caller, what a flush and a first flush cost, and how large a year of
// use is and how long it takes to read. Rounds of the hot path are interleaved.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, seededRandom, systemClock } from "@holdfast/core";
import { MetricsStore } from "@holdfast/metrics";
import { report, type Result } from "./results.ts";
import { median, quantile } from "./statistics.ts";

const CALLS = 200_000;
const ROUNDS = 15;
const HOUR_MS = 3_600_000;
const YEAR_HOURS = 365 * 24;
const RUNS_PER_HOUR = 200;
const OPERATIONS = ["add", "addMany", "update", "search", "get", "list", "forget", "drain"];

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const random = seededRandom(1);

try {
  report([...hotPath(), ...flushes(), ...year(24, 7), ...year(8, 5)]);
} finally {
  rmSync(folder, { recursive: true });
}

/** Median nanoseconds a call, loop and all; with the flushes that a second of such calls brings. */
function hotPath(): Result[] {
  const store = new MetricsStore({ path: join(folder, "hot.sqlite") });
  const durations = Float64Array.from({ length: 1_024 }, () => logNormalMs());
  const labels = { rule: "secrets", decision: "deny" };
  const cases: Record<string, (at: number) => void> = {
    "Date.now()": () => void Date.now(),
    record: (at) => store.record("search", "success", durations[at & 1_023] ?? 1),
    "record, 8 operations in turn": (at) =>
      store.record(OPERATIONS[at & 7] ?? "", "success", durations[at & 1_023] ?? 1),
    count: () => store.count("hits"),
    "count with two labels": () => store.count("decisions", 1, labels),
    gauge: (at) => store.gauge("depth", at),
  };
  const samples = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const [name, call] of Object.entries(cases)) {
      const started = process.hrtime.bigint();
      for (let at = 0; at < CALLS; at += 1) call(at);
      store.flush();
      samples.get(name)?.push(Number(process.hrtime.bigint() - started) / CALLS);
    }
  }
  store.close();
  return [...samples].map(([name, of]) => ({
    subject: `metrics: ${name}`,
    value: median(of),
    unit: "ns",
    ...(name === "record" ? { goal: { atMost: 1_000 } } : {}),
  }));
}

function flushes(): Result[] {
  const first = Array.from({ length: 20 }, (_, at) => {
    const store = new MetricsStore({ path: join(folder, `first-${at % 2}.sqlite`) });
    store.record("search", "success", 12);
    const took = elapsedMs(() => store.flush());
    store.close();
    return took;
  });
  const store = new MetricsStore({ path: join(folder, "flush.sqlite"), flushIntervalMs: 0 });
  const later = Array.from({ length: 300 }, () => {
    for (const operation of OPERATIONS) store.record(operation, "success", logNormalMs());
    return elapsedMs(() => store.flush());
  });
  store.close();
  return [
    { subject: "metrics: the first flush of a process", value: median(first.slice(2)), unit: "ms" },
    {
      subject: "metrics: a flush of 8 series, p50",
      value: median(later),
      unit: "ms",
      detail: `p99 ${quantile(later, 0.99).toFixed(2)} ms`,
    },
  ];
}

/**
 * A year of eight operations, some failing, with log-normal durations, used so many hours a day
 * and days a week. Older hours are flushed once each, the last days as finely as they are kept.
 */
function year(hoursPerDay: number, daysPerWeek: number): Result[] {
  const path = join(folder, `year-${hoursPerDay}x${daysPerWeek}.sqlite`);
  let nowMs = Date.UTC(2026, 0, 5);
  const clock: Clock = { ...systemClock, now: () => nowMs };
  const store = new MetricsStore({ path, flushIntervalMs: 0 }, { clock });
  for (let hour = 0; hour < YEAR_HOURS; hour += 1) {
    const used = hour % 24 < hoursPerDay && Math.floor(hour / 24) % 7 < daysPerWeek;
    const left = YEAR_HOURS - hour;
    const stepMs = left <= 2 ? 10_000 : left <= 48 ? 60_000 : HOUR_MS;
    for (let at = 0; at < HOUR_MS; at += stepMs) {
      if (used) use(store, Math.max(1, (RUNS_PER_HOUR * stepMs) / HOUR_MS));
      nowMs += stepMs;
      store.flush();
    }
  }
  const readMs = elapsedMs(() => store.summary({ since: "365d" }));
  const lastHourMs = elapsedMs(() => store.summary({ since: "1h" }));
  store.close();
  const reopened = new MetricsStore({ path }, { clock });
  const mebibytes = reopened.status().sizeBytes / 2 ** 20;
  reopened.close();
  const detail = `its summary ${Math.round(readMs)} ms, of the last hour ${Math.round(lastHourMs)} ms`;
  const subject = `metrics: a year of ${hoursPerDay} h × ${daysPerWeek} d`;
  return [{ subject, value: mebibytes, unit: "MiB", detail }];
}

function use(store: MetricsStore, runs: number): void {
  for (const operation of OPERATIONS) {
    for (let run = 0; run < runs; run += 1) {
      store.record(operation, random.next() < 0.02 ? "failure" : "success", logNormalMs());
    }
  }
  store.count("decisions", 1, { rule: "secrets", decision: "deny" });
  store.gauge("queue.depth", 10 * random.next());
  if (random.next() < 0.02) store.lifecycle.breakerTransition("chroma", "closed", "open");
}

/** Median 20 ms, with a long tail; Box and Muller's method. */
function logNormalMs(): number {
  const normal =
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return 20 * Math.exp(0.7 * normal);
}

function elapsedMs(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
