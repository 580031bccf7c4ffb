import { describe, expect, test } from "@jest/globals";
import { QUANTILE_RELATIVE_ERROR, type SloObjective } from "../src/index.ts";
import { scratchStore } from "./scratch.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe("windows", () => {
  test("a moment is a number, a Date, an ISO text, or a duration before now", () => {
    const { store, clock } = scratchStore();
    const startMs = clock.now();
    clock.pass(DAY_MS);
    const froms = [startMs, new Date(startMs), new Date(startMs).toISOString(), "24h", "1d"].map(
      (since) => store.summary({ since }).fromMs,
    );
    expect(new Set(froms)).toEqual(new Set([startMs]));
    expect(store.summary({ until: "30m", since: "1h" })).toMatchObject({
      fromMs: clock.now() - HOUR_MS,
      toMs: clock.now() - HOUR_MS / 2,
    });
  });

  test("what is no moment, or no window, is refused with a hint", () => {
    const { store } = scratchStore();
    for (const window of [
      { since: "yesterday" },
      { since: Number.NaN },
      { since: new Date("nonsense") },
      { since: "1h", until: "2h" },
    ]) {
      expect(() => store.summary(window)).toThrow(
        expect.objectContaining({ code: "METRICS_WINDOW_INVALID", hint: expect.any(String) }),
      );
    }
  });

  test("an empty window is named by its moments", () => {
    const { store } = scratchStore();
    const until = "2020-01-01T00:00:00.000Z";
    expect(() => store.summary({ since: "2030-01-01", until })).toThrow(
      `since 2030-01-01T00:00:00.000Z, until ${until}`,
    );
    expect(() => store.summary({ since: 1e300, until })).toThrow("since 1e+300");
  });

  test("only what lies in the window counts, to the width of a bucket", () => {
    const { store, clock } = scratchStore();
    store.record("search", "success", 1);
    store.event("deployment", "old");
    clock.pass(30 * MINUTE_MS);
    store.record("search", "success", 1);
    store.event("deployment", "new");
    clock.pass(10 * MINUTE_MS);
    expect(store.summary({ since: "35m" }).overall.total).toBe(1);
    expect(store.summary({ since: "35m" }).deployments.last?.subject).toBe("new");
    expect(store.summary({ since: "41m" }).overall.total).toBe(2);
    expect(store.summary({ since: "41m", until: "20m" }).overall.total).toBe(1);
    expect(store.summary({ since: "41m" }).resolutionMs).toBe(10_000);
  });
});

describe("durations", () => {
  test("percentiles of many runs over many buckets and outcomes stay within the bound", () => {
    const { store, clock } = scratchStore();
    const values = Array.from({ length: 5_000 }, (_, at) => 0.5 * 1.0017 ** ((at * 7_919) % 5_000));
    for (const [at, value] of values.entries()) {
      store.record("search", at % 7 === 0 ? "failure" : "success", value);
      clock.pass(300);
    }
    const sorted = values.toSorted((one, other) => one - other);
    const { durations } = store.summary({ since: "1h" }).overall;
    for (const [q, estimate] of [
      [0.5, durations.p50Ms],
      [0.95, durations.p95Ms],
      [0.99, durations.p99Ms],
    ] as const) {
      const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
      expect(Math.abs((estimate ?? Number.NaN) - exact) / exact).toBeLessThanOrEqual(
        QUANTILE_RELATIVE_ERROR,
      );
    }
    expect(durations.maxMs).toBe(sorted.at(-1));
    expect(durations.minMs).toBe(sorted[0]);
  });

  test("the timeline has a point per step, with the moving average over the last ones", () => {
    const { store, clock } = scratchStore();
    // 00:00 10 ms, 00:01 nothing, 00:02 two of 40 ms, 00:03 a failure of 100 ms.
    store.record("search", "success", 10);
    clock.pass(2 * MINUTE_MS);
    store.record("search", "success", 40);
    store.record("search", "success", 40);
    store.record("add", "success", 999);
    clock.pass(MINUTE_MS);
    store.record("search", "failure", 100);
    store.record("search", "ignored", 5_000);
    const { stepMs, points } = store.timeline({
      operation: "search",
      since: "3m",
      stepMs: MINUTE_MS,
      movingPoints: 3,
    });
    expect(stepMs).toBe(MINUTE_MS);
    expect(
      points.map(({ succeeded, failed, ignored, averageMs, movingAverageMs }) => [
        succeeded,
        failed,
        ignored,
        averageMs,
        movingAverageMs,
      ]),
    ).toEqual([
      [1, 0, 0, 10, 10],
      [0, 0, 0, null, 10],
      [2, 0, 0, 40, 30],
      [0, 1, 1, 100, 60],
    ]);
  });

  test("a step is never finer than what is stored, nor are there more than 10 000 points", () => {
    const { store, clock } = scratchStore();
    expect(store.timeline({ since: "90m", stepMs: 1 }).stepMs).toBe(10_000);
    expect(store.timeline({ since: "1d", stepMs: 1 }).stepMs).toBe(MINUTE_MS);
    expect(store.timeline({ since: "30d", stepMs: 1 }).stepMs).toBe(HOUR_MS);
    clock.pass(1);
    expect(store.timeline({ since: new Date(0), stepMs: 1 }).points.length).toBeLessThanOrEqual(
      10_001,
    );
  });
});

describe("events", () => {
  test("breaker trips, recoveries, backups and deployments of the window", () => {
    const { store, clock } = scratchStore();
    const { lifecycle } = store;
    for (const [from, to] of [
      ["closed", "open"],
      ["open", "half-open"],
      ["half-open", "open"],
      ["open", "half-open"],
      ["half-open", "closed"],
      ["closed", "open"],
    ] as const) {
      lifecycle.breakerTransition("chroma", from, to, { consecutiveFailures: 5 });
      clock.pass(SECOND_MS);
    }
    lifecycle.recoveryAttempt("service", "failure", 100);
    lifecycle.recoveryAttempt("persistence", "success", 900);
    lifecycle.deployment("1.4.0", "success");
    lifecycle.backup("nightly", "failure", clock.now());
    const summary = store.summary();
    expect(summary.breaker).toMatchObject({ trips: 2, reopened: 1, closed: 1 });
    expect(summary.breaker.last).toMatchObject({
      subject: "chroma",
      data: { from: "closed", to: "open", consecutiveFailures: 5 },
    });
    expect(summary.recovery).toMatchObject({ attempts: 2, succeeded: 1, failed: 1 });
    expect(summary.deployments).toMatchObject({ count: 1, last: { subject: "1.4.0" } });
    expect(summary.backups.count).toBe(1);
    expect(summary.gauges.map(({ name }) => name)).not.toContain("backup.last-success-ms");
  });

  test("time to repair and availability, from incidents that overlap and cross the edges", () => {
    const { store, clock } = scratchStore();
    const { lifecycle } = store;
    lifecycle.incidentOpened("before");
    clock.pass(HOUR_MS);
    // The window of ten minutes begins here.
    clock.pass(MINUTE_MS);
    lifecycle.incidentClosed("before");
    clock.pass(MINUTE_MS);
    lifecycle.incidentOpened("a");
    clock.pass(MINUTE_MS);
    lifecycle.incidentOpened("b");
    lifecycle.incidentOpened("b");
    lifecycle.incidentClosed("a");
    clock.pass(MINUTE_MS);
    lifecycle.incidentClosed("b");
    lifecycle.incidentClosed("never opened");
    clock.pass(5 * MINUTE_MS);
    lifecycle.incidentOpened("open");
    clock.pass(MINUTE_MS);
    const { incidents } = store.summary({ since: "10m", until: new Date(clock.now()) });
    expect(incidents).toMatchObject({ opened: 3, closed: 3, downtimeMs: 4 * MINUTE_MS });
    expect(incidents.open).toEqual([{ id: "open", sinceMs: clock.now() - MINUTE_MS }]);
    expect(incidents.mttrMs).toBe((61 * MINUTE_MS + MINUTE_MS + MINUTE_MS) / 3);
    expect(incidents.availability).toBeCloseTo(0.6);
  });

  test("an incident that began long before the window makes all of it unavailable", () => {
    const { store, clock } = scratchStore();
    store.lifecycle.incidentOpened("outage");
    clock.pass(DAY_MS);
    const { incidents } = store.summary({ since: "10m" });
    expect(incidents.availability).toBe(0);
    expect(incidents.open).toHaveLength(1);
  });

  test("can be limited to the newest of some kinds", () => {
    const { store, clock } = scratchStore();
    for (let at = 0; at < 5; at += 1) {
      store.event("deployment", `v${at}`);
      store.event("noise", "n");
      clock.pass(1);
    }
    const newest = store.events({ kinds: ["deployment"], limit: 2 });
    expect(newest.map(({ subject }) => subject)).toEqual(["v3", "v4"]);
    expect(store.events({ limit: 0 })).toEqual([]);
  });
});

describe("objectives", () => {
  const SEARCHES: SloObjective = { name: "searches", objective: 0.99, operations: ["search"] };

  test("error budget: what is allowed, and what is left", () => {
    const { store } = scratchStore();
    for (let at = 0; at < 1_000; at += 1) {
      store.record("search", at < 4 ? "failure" : "success", 10);
      store.record("search", "ignored", 10);
      store.record("add", "failure", 10);
    }
    const report = store.slo(SEARCHES);
    expect(report).toMatchObject({ good: 996, bad: 4, attained: 0.996, periodMs: 30 * DAY_MS });
    expect(report.errorBudget.allowed).toBeCloseTo(10);
    expect(report.errorBudget.remaining).toBeCloseTo(0.6);
  });

  test("a broken objective has a negative rest", () => {
    const { store } = scratchStore();
    for (let at = 0; at < 100; at += 1) store.record("search", at < 2 ? "failure" : "success", 1);
    expect(store.slo(SEARCHES).errorBudget.remaining).toBeCloseTo(-1);
  });

  test("with a time, a slow success is not good", () => {
    const { store } = scratchStore();
    for (let at = 0; at < 100; at += 1) store.record("search", "success", at < 10 ? 900 : 20);
    store.record("search", "failure", 1);
    expect(store.slo({ ...SEARCHES, slowMs: 500 })).toMatchObject({ good: 90, bad: 11 });
  });

  test("burn rates: a sudden outage pages, an old one no more, a slow leak makes a ticket", () => {
    const { store, clock } = scratchStore();
    const firing = (): string[] =>
      store
        .slo(SEARCHES)
        .burnRates.flatMap(({ firing: fires, severity, longMs }) =>
          fires ? [`${severity} ${longMs / HOUR_MS}h`] : [],
        );
    const run = (hours: number, failureEvery: number): void => {
      for (let minute = 0; minute < hours * 60; minute += 1) {
        store.record("search", minute % failureEvery === 0 ? "failure" : "success", 1);
        clock.pass(MINUTE_MS);
        if (minute % 60 === 59) store.flush();
      }
    };
    run(72, Number.POSITIVE_INFINITY);
    // 1 % are allowed: 2 % burn at twice the rate, which three days of may not go on.
    run(72, 50);
    expect(firing()).toEqual(["ticket 72h"]);
    run(1, 4);
    expect(firing()).toContain("page 1h");
    run(1, Number.POSITIVE_INFINITY);
    expect(firing()).not.toContain("page 1h");
    const [page] = store.slo(SEARCHES).burnRates;
    expect(page).toMatchObject({ severity: "page", shortMs: 5 * MINUTE_MS });
    expect(page?.threshold).toBeCloseTo(14.4);
  });

  test("an objective of nothing or of everything is refused", () => {
    const { store } = scratchStore();
    for (const objective of [0, 1, 99.9, Number.NaN]) {
      expect(() => store.slo({ name: "x", objective })).toThrow(
        expect.objectContaining({ code: "METRICS_OPTION_INVALID" }),
      );
    }
  });
});
