import { existsSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { MetricsStore } from "../src/index.ts";
import { scratchStore } from "./scratch.ts";

describe("recording", () => {
  test("what one process records, another reads", () => {
    const { store, clock, path } = scratchStore();
    store.record("search", "success", 12);
    store.record("search", "success", 20);
    store.record("search", "timeout", 900);
    store.record("search", "cancelled", 5);
    expect(store.flush()).toBe(true);

    const other = scratchStore({ path }, { clock }).store;
    const { overall, operations } = other.summary({ since: "5m" });
    expect(operations).toHaveLength(1);
    expect(operations[0]).toMatchObject({
      operation: "search",
      total: 4,
      succeeded: 2,
      failed: 1,
      ignored: 1,
      outcomes: { success: 2, timeout: 1, cancelled: 1 },
    });
    expect(overall.successRate).toBeCloseTo(2 / 3);
    expect(overall.failureRate).toBeCloseTo(1 / 3);
    expect(overall.durations).toMatchObject({ count: 3, minMs: 12, maxMs: 900 });
    expect(overall.durations.averageMs).toBeCloseTo(932 / 3);
  });

  test("constructing, and reading before anything was recorded, make no file", () => {
    const { store, path } = scratchStore();
    expect(store.summary().overall.total).toBe(0);
    expect(store.status()).toMatchObject({ state: "idle", sizeBytes: 0, setAside: [] });
    expect(existsSync(path)).toBe(false);
  });

  test("nothing recorded is unknown, never green", () => {
    const { overall, incidents, slos } = scratchStore({
      slos: [{ name: "search", objective: 0.99 }],
    }).store.summary();
    expect(overall.successRate).toBeNull();
    expect(overall.durations.p99Ms).toBeNull();
    expect(incidents.availability).toBeNull();
    expect(slos[0]?.attained).toBeNull();
    expect(slos[0]?.errorBudget.remaining).toBeNull();
  });

  test("nonsense from plain JavaScript is counted, never thrown, and poisons nothing", () => {
    const { store } = scratchStore();
    const loose = store as unknown as Record<string, (...args: unknown[]) => void>;
    loose["record"]?.(undefined, "success", 1);
    loose["record"]?.("add", null, 1);
    loose["record"]?.("add", "success", Number.NaN);
    loose["record"]?.("add", "success", "fast");
    loose["record"]?.("", "success", 1);
    loose["record"]?.("x".repeat(201), "success", 1);
    loose["count"]?.("hits", -1);
    loose["count"]?.("hits", Number.POSITIVE_INFINITY);
    loose["gauge"]?.("depth", Number.NaN);
    loose["event"]?.("", "subject");
    loose["event"]?.("kind", "subject", { keep: 1, drop: { nested: 1 }, big: 1n });
    loose["event"]?.("kind", "none", null);
    loose["count"]?.("odd", 1, null);
    loose["count"]?.("odd", 1, { bare: Object.create(null), symbol: Symbol("s") });
    store.record("add", "success", 1);
    expect(store.status().rejected).toBe(10);
    expect(store.flush()).toBe(true);
    expect(store.summary().overall.total).toBe(1);
    expect(store.events({ kinds: ["kind"] }).map(({ data }) => data)).toEqual([{ keep: 1 }, {}]);
  });

  test("an outcome of any name is counted under it", () => {
    const { store } = scratchStore();
    for (const outcome of ["success", "__proto__", "constructor"]) store.record("add", outcome, 1);
    const { overall, operations } = store.summary();
    for (const { outcomes } of [overall, ...operations])
      expect(new Map(Object.entries(outcomes))).toEqual(
        new Map([
          ["success", 1],
          ["__proto__", 1],
          ["constructor", 1],
        ]),
      );
  });

  test("a negative duration, from a clock set back, counts as zero", () => {
    const { store } = scratchStore();
    store.record("add", "success", -5);
    expect(store.summary().overall.durations.minMs).toBe(0);
  });

  test("time() measures and leaves result and error alone", async () => {
    const { store, clock } = scratchStore();
    const result = await store.time("load", async () => {
      clock.pass(40);
      return "loaded";
    });
    expect(result).toBe("loaded");
    const failure = new Error("no");
    const failing = store.time(
      "load",
      () => {
        clock.pass(10);
        clock.jump(-100_000);
        throw failure;
      },
      () => "refused",
    );
    await expect(failing).rejects.toBe(failure);
    const unnamed = store.time(
      "load",
      () => {
        throw failure;
      },
      () => {
        throw new Error("cannot name it");
      },
    );
    await expect(unnamed).rejects.toBe(failure);
    const durations = store
      .totals()
      .operations.map(({ outcome, histogram }) => [outcome, histogram.max]);
    expect(Object.fromEntries(durations)).toEqual({ success: 40, refused: 10, failure: 0 });
  });

  test("series above the bound are counted together, in memory and in the file", () => {
    const { store, clock, path } = scratchStore({ seriesMax: 3 });
    for (let user = 0; user < 10; user += 1) store.record(`op-${user}`, "success", 1);
    for (let user = 0; user < 10; user += 1) store.count("hits", 1, { user: `u${user}` });
    const other = scratchStore({ path, seriesMax: 3 }, { clock }).store;
    store.flush();
    for (let user = 10; user < 13; user += 1) other.record(`op-${user}`, "success", 1);
    const totals = other.totals();
    const operations = Object.fromEntries(
      totals.operations.map(({ operation, histogram }) => [operation, histogram.count]),
    );
    expect(operations).toEqual({ "op-0": 1, "op-1": 1, "op-2": 1, _other: 10 });
    expect(totals.counters).toEqual([{ name: "_other", labels: {}, value: 10 }]);
  });

  test("counters add up and a gauge keeps its latest value, by label set", () => {
    const { store, clock } = scratchStore();
    store.count("hits", 2, { a: "1", b: "2" });
    store.count("hits", 3, { b: "2", a: "1" });
    store.count("hits");
    store.gauge("depth", 7);
    clock.pass(20_000);
    store.gauge("depth", 4);
    const summary = store.summary();
    expect(summary.counters).toEqual([
      { name: "hits", labels: { a: "1", b: "2" }, value: 5 },
      { name: "hits", labels: {}, value: 1 },
    ]);
    expect(summary.gauges).toEqual([{ name: "depth", labels: {}, value: 4, atMs: clock.now() }]);
  });

  test("slow runs are counted, and kept one by one up to a bound", () => {
    const { store } = scratchStore({ slowMs: 100 });
    for (let run = 0; run < 50; run += 1) store.record("search", "success", 200 + run);
    store.record("search", "success", 5);
    const { overall, slowest } = store.summary();
    expect(overall.slow).toBe(50);
    expect(slowest).toHaveLength(10);
    expect(store.events({ kinds: ["operation.slow"] })).toHaveLength(20);
  });

  test("a sink hears every record; one that throws hurts nobody and is said", () => {
    const { store } = scratchStore();
    const heard: unknown[] = [];
    store.subscribe({
      record: () => {
        throw new Error("broken sink");
      },
      count: () => undefined,
      gauge: () => undefined,
    });
    const stop = store.subscribe({
      record: (...args) => heard.push(args),
      count: (...args) => heard.push(args),
      gauge: (...args) => heard.push(args),
    });
    store.record("add", "success", 1);
    store.count("hits", 2, { a: "b" });
    store.gauge("depth", 3);
    stop();
    store.record("add", "success", 1);
    expect(heard).toEqual([
      ["add", "success", 1],
      ["hits", 2, { a: "b" }],
      ["depth", 3, {}],
    ]);
    expect(store.status().lastError?.message).toBe("broken sink");
    expect(store.summary().overall.total).toBe(2);
  });

  test("closing writes the rest and is idempotent; later calls are counted as rejected", () => {
    const { store, clock, path } = scratchStore();
    store.record("add", "success", 1);
    store.close();
    store.close();
    store.record("add", "success", 1);
    expect(store.status()).toMatchObject({ state: "closed", rejected: 1 });
    expect(scratchStore({ path }, { clock }).store.summary().overall.total).toBe(1);
  });

  test("wrong options are refused by name", () => {
    const wrong = [
      { path: "" },
      { path: "x", flushIntervalMs: -1 },
      { path: "x", tiers: [] },
      { path: "x", seriesMax: 0 },
      {
        path: "x",
        tiers: [
          { resolutionMs: 10, keepMs: 100 },
          { resolutionMs: 25, keepMs: 200 },
        ],
      },
    ];
    for (const options of wrong) {
      const name = Object.keys(options).at(-1) ?? "";
      expect(() => new MetricsStore(options)).toThrow(
        expect.objectContaining({
          code: "METRICS_OPTION_INVALID",
          message: expect.stringContaining(name),
        }),
      );
    }
  });
});
