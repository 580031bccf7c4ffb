import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { Histogram, type MetricsStore, type Tier } from "../src/index.ts";
import type { FakeClock } from "@holdfast/core/testing";
import { scratchStore } from "./scratch.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const EVERYTHING = { since: new Date(0) };

/** Lets enough flushes pass that all due maintenance is done. */
function settle(store: MetricsStore, clock: FakeClock, flushes = 8): void {
  for (let at = 0; at < flushes; at += 1) {
    clock.pass(MINUTE_MS);
    store.gauge("tick", at);
    store.flush();
  }
}

function rows(path: string, kind = "operation"): { resolution: number; n: number }[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare(
        `SELECT resolution_ms AS resolution, count(*) AS n FROM bucket
        JOIN series ON id = series_id WHERE kind = ? GROUP BY 1 ORDER BY 1`,
      )
      .all(kind)
      .map((row) => ({ resolution: Number(row["resolution"]), n: Number(row["n"]) }));
  } finally {
    db.close();
  }
}

describe("roll-up", () => {
  test("whatever was recorded when, rolling up changes no total and no percentile", () => {
    const run = fc.record({
      afterMs: fc.integer({ min: 0, max: 40 * MINUTE_MS }),
      outcome: fc.constantFrom("success", "failure"),
      durationMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
      flush: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 40 }), (runs) => {
        const { store, clock, path } = scratchStore();
        const exact = new Histogram();
        for (const { afterMs, outcome, durationMs, flush } of runs) {
          clock.pass(afterMs);
          store.record("search", outcome, durationMs);
          exact.add(durationMs);
          if (flush) store.flush();
        }
        store.flush();
        // A day at a time: a longer jump would not be believed.
        for (let day = 0; day < 4; day += 1) {
          clock.pass(DAY_MS - HOUR_MS);
          settle(store, clock);
        }
        expect(rows(path).map(({ resolution }) => resolution)).toEqual([0, HOUR_MS]);
        const { overall } = store.summary(EVERYTHING);
        expect(overall.total).toBe(runs.length);
        expect(overall.failed).toBe(runs.filter(({ outcome }) => outcome === "failure").length);
        expect(overall.durations.p50Ms).toBe(exact.quantile(0.5));
        expect(overall.durations.p99Ms).toBe(exact.quantile(0.99));
        expect(overall.durations.maxMs).toBe(exact.max);
        expect(overall.durations.averageMs).toBeCloseTo(exact.sum / exact.count, 6);
        store.close();
      }),
      { numRuns: 25 },
    );
  });

  test("ten seconds become a minute after two hours, an hour after two days, gone after 400", () => {
    const { store, clock, path } = scratchStore();
    for (let at = 0; at < 12; at += 1) {
      store.record("search", "success", 10);
      clock.pass(10_000);
    }
    store.flush();
    expect(rows(path)).toEqual([
      { resolution: 0, n: 1 },
      { resolution: 10_000, n: 12 },
    ]);
    clock.pass(2 * HOUR_MS + MINUTE_MS);
    settle(store, clock, 2);
    expect(rows(path)).toEqual([
      { resolution: 0, n: 1 },
      { resolution: MINUTE_MS, n: 2 },
    ]);
    for (let day = 0; day < 3; day += 1) {
      clock.pass(DAY_MS - HOUR_MS);
      settle(store, clock, 2);
    }
    expect(rows(path)).toEqual([
      { resolution: 0, n: 1 },
      { resolution: HOUR_MS, n: 1 },
    ]);
    for (let day = 0; day < 402; day += 1) {
      clock.pass(DAY_MS - MINUTE_MS);
      settle(store, clock, 1);
    }
    expect(rows(path)).toEqual([{ resolution: 0, n: 1 }]);
    expect(store.summary(EVERYTHING).overall.total).toBe(0);
    expect(store.totals().operations[0]?.histogram.count).toBe(12);
  });

  test("one flush moves a bounded number of rows; the following ones go on", () => {
    const tiers: Tier[] = [
      { resolutionMs: 1_000, keepMs: 10_000 },
      { resolutionMs: HOUR_MS, keepMs: DAY_MS },
    ];
    const { store, clock, path } = scratchStore({ tiers });
    for (let at = 0; at < 1_200; at += 1) {
      store.record("search", "success", 10);
      clock.pass(1_000);
    }
    store.flush();
    const fine = (): number => rows(path).find(({ resolution }) => resolution === 1_000)?.n ?? 0;
    const counts = [fine()];
    for (let at = 0; at < 3; at += 1) {
      clock.pass(10);
      store.gauge("tick", at);
      store.flush();
      counts.push(fine());
    }
    expect(counts[0]).toBeGreaterThan(600);
    for (const [at, count] of counts.slice(1).entries()) {
      expect((counts[at] ?? 0) - count).toBeLessThanOrEqual(500);
    }
    expect(counts.at(-1)).toBeLessThan(20);
    expect(store.summary(EVERYTHING).overall.total).toBe(1_200);
  });

  test("events expire by age and by number of their kind", () => {
    const { store, clock } = scratchStore({ eventsPerKindMax: 5, eventKeepMs: 2 * HOUR_MS });
    store.event("deployment", "first");
    for (let at = 0; at < 20; at += 1) store.event("noise", `n${at}`);
    settle(store, clock, 2);
    expect(store.events({ kinds: ["noise"] }).map(({ subject }) => subject)).toEqual([
      "n15",
      "n16",
      "n17",
      "n18",
      "n19",
    ]);
    expect(store.events({ kinds: ["deployment"] })).toHaveLength(1);
    clock.pass(2 * HOUR_MS);
    settle(store, clock, 2);
    expect(store.events(EVERYTHING)).toEqual([]);
  });
});

describe("a clock that jumps", () => {
  test("ahead by a year for an hour: nothing expires, and all is there when it is back", () => {
    const { store, clock, path } = scratchStore();
    for (let at = 0; at < 10; at += 1) {
      store.record("search", "success", 10);
      store.event("deployment", `v${at}`);
      clock.pass(10_000);
    }
    settle(store, clock);
    const before = rows(path);
    clock.jump(365 * DAY_MS * 2);
    for (let at = 0; at < 6; at += 1) {
      clock.pass(10 * MINUTE_MS);
      store.record("search", "success", 10);
      store.gauge("depth", 99);
      store.flush();
    }
    clock.jump(-365 * DAY_MS * 2);
    settle(store, clock);
    expect(rows(path).find(({ resolution }) => resolution === 10_000)?.n).toBe(
      (before.find(({ resolution }) => resolution === 10_000)?.n ?? 0) + 6,
    );
    expect(store.summary({ since: "2h" }).overall.total).toBe(10);
    expect(store.events({ since: "2h", kinds: ["deployment"] })).toHaveLength(10);
    // Nor does a gauge stay frozen at what the future said.
    store.gauge("depth", 1);
    expect(store.summary().gauges.find(({ name }) => name === "depth")?.value).toBe(1);
    expect(store.totals().operations[0]?.histogram.count).toBe(16);
  });

  test("a tool unused for two years: what is old expires, a day after it is used again", () => {
    const { store, clock, path } = scratchStore();
    store.record("search", "success", 10);
    settle(store, clock);
    clock.jump(2 * 365 * DAY_MS);
    settle(store, clock);
    expect(rows(path)).toHaveLength(2);
    clock.pass(DAY_MS);
    settle(store, clock);
    expect(rows(path)).toEqual([{ resolution: 0, n: 1 }]);
  });

  test("back to 1970 and forth again: recording goes on, and nothing is lost", () => {
    const { store, clock } = scratchStore();
    const real = clock.now();
    store.record("search", "success", 10);
    store.flush();
    clock.jump(5_000 - clock.now());
    store.record("search", "success", 10);
    settle(store, clock);
    clock.jump(-1 - clock.now());
    store.record("search", "success", 10);
    expect(store.flush()).toBe(true);
    clock.jump(real + MINUTE_MS - clock.now());
    settle(store, clock);
    expect(store.summary({ since: "1h" }).overall.total).toBe(1);
    expect(store.summary(EVERYTHING).overall.total).toBe(3);
    expect(store.totals().operations[0]?.histogram.count).toBe(3);
  });
});
