// What recording costs the caller, what a flush and a first flush cost, and how large a year of
// use is and how long it takes to read. Rounds of the hot path are interleaved. Prints JSON.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, seededRandom, systemClock } from "@holdfast/core";
import { MetricsStore } from "@holdfast/metrics";

const CALLS = 200_000;
const ROUNDS = 15;
const HOUR_MS = 3_600_000;
const YEAR_HOURS = 365 * 24;
const RUNS_PER_HOUR = 200;
const OPERATIONS = ["add", "addMany", "update", "search", "get", "list", "forget", "drain"];

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const random = seededRandom(1);

try {
  const result = { hotPathNs: hotPath(), flushMs: flushes(), year: [year(24, 7), year(8, 5)] };
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Median nanoseconds a call, loop and all; with the flushes that a second of such calls brings. */
function hotPath(): Record<string, number> {
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
  return Object.fromEntries([...samples].map(([name, of]) => [name, Math.round(median(of))]));
}

function flushes(): Record<string, number> {
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
  return {
    "first of a process, file there": round(median(first.slice(2))),
    "8 series, p50": round(median(later)),
    "8 series, p99": round(later.toSorted((a, b) => a - b)[296] ?? 0),
  };
}

/**
 * A year of eight operations, some failing, with log-normal durations, used so many hours a day
 * and days a week. Older hours are flushed once each, the last days as finely as they are kept.
 */
function year(hoursPerDay: number, daysPerWeek: number): Record<string, unknown> {
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
  const mebibytes = round(reopened.status().sizeBytes / 2 ** 20);
  reopened.close();
  return {
    use: `${hoursPerDay} h × ${daysPerWeek} d`,
    mebibytes,
    "summary of the year, ms": Math.round(readMs),
    "summary of the last hour, ms": Math.round(lastHourMs),
  };
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

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
