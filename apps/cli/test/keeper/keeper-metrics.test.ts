import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readServerRecord, statePathsOf } from "@holdfast/chroma";
import { type Clock, HoldfastError } from "@holdfast/core";
import type { MemoryStatus } from "@holdfast/memory";
import { MetricsStore } from "@holdfast/metrics";
import { until } from "@holdfast/testkit";
import { KeeperMetrics } from "../../src/keeper/keeper-metrics.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(300_000);

describe("what a keeper records", () => {
  let folder: string;
  let metrics: MetricsStore;
  let nowMs: number;
  const clock = { monotonic: () => nowMs } as Clock;

  beforeEach(() => {
    nowMs = 1_000;
    folder = mkdtempSync(join(tmpdir(), "holdfast-keeper-metrics-"));
    metrics = new MetricsStore({ path: join(folder, "metrics.db") });
  });
  afterEach(() => {
    metrics.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const gauge = (name: string): number | undefined =>
    metrics.totals().gauges.find((each) => each.name === name)?.value;

  test("an outage is one incident, from the first bad canary to the next good one", () => {
    const keeper = new KeeperMetrics(metrics, clock);
    keeper.canary(990);
    expect(gauge("canary.success")).toBe(1);
    const error = new HoldfastError("no answer", { code: "STORE_UNAVAILABLE", retryable: true });
    keeper.canary(990, error);
    keeper.down("Chroma ended (SIGKILL)");
    keeper.canary(990, error);
    expect(gauge("canary.success")).toBe(0);
    expect(metrics.summary().incidents).toMatchObject({ opened: 1, open: [{ id: "store" }] });
    keeper.canary(990);
    const { incidents, operations } = metrics.summary();
    expect(incidents).toMatchObject({ opened: 1, closed: 1, open: [] });
    expect(operations).toMatchObject([
      {
        operation: "store.canary",
        outcomes: { success: 2, failure: 2 },
        durations: { minMs: 10, maxMs: 10 },
      },
    ]);
  });

  test("the incident that a killed keeper left ends with the next one's first good canary", () => {
    new KeeperMetrics(metrics, clock).down("Chroma ended");
    new KeeperMetrics(metrics, clock).canary(990);
    expect(metrics.summary().incidents).toMatchObject({ opened: 1, closed: 1, open: [] });
  });

  test("an attempt to heal is recorded with its end; what was not due is none", async () => {
    const keeper = new KeeperMetrics(metrics, clock);
    const result = await keeper.recovery(
      "restart",
      async () => (nowMs += 250),
      (ms) => ms > 0,
    );
    expect(result).toBe(1_250);
    await keeper.recovery(
      "restart",
      async () => "crashed again",
      () => false,
    );
    await keeper.recovery(
      "rebuild",
      async () => false,
      () => undefined,
    );
    const refused = new HoldfastError("would lose 3", { code: "HEAL_REFUSED" });
    const refusing = keeper.recovery(
      "move-aside",
      () => Promise.reject(refused),
      () => true,
    );
    await expect(refusing).rejects.toBe(refused);
    const attempts = metrics.events({ kinds: ["recovery.attempt"] });
    expect(attempts.map(({ subject, data }) => [subject, data["outcome"], data["reason"]])).toEqual(
      [
        ["restart", "success", undefined],
        ["restart", "failure", undefined],
        ["move-aside", "failure", "would lose 3"],
      ],
    );
    expect(attempts[0]?.data["durationMs"]).toBe(250);
  });

  test("what waits is sampled, every ten seconds at most", () => {
    const keeper = new KeeperMetrics(metrics, clock);
    const waiting = (records: number): MemoryStatus =>
      ({
        ledger: { dead: 2 },
        outbox: { records, oldestAgeMs: 5_000, unsettled: 1 },
      }) as MemoryStatus;
    keeper.sample(waiting(7));
    keeper.sample(waiting(8));
    expect(gauge("queue.depth")).toBe(7);
    expect(gauge("queue.oldest-age-ms")).toBe(5_000);
    expect(gauge("queue.dead-letters")).toBe(2);
    expect(gauge("queue.unsettled")).toBe(1);
    nowMs += 10_000;
    keeper.sample(waiting(8));
    expect(gauge("queue.depth")).toBe(8);
  });
});

test("a killed server's outage and restart are there for whoever asks later", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure();
  const { incarnation, pid } = readServerRecord(workspace.dataDirectory) ?? {};
  process.kill(pid as number, "SIGKILL");
  await until("another server", () => {
    const record = readServerRecord(workspace.dataDirectory);
    return record?.ready === true && record.incarnation !== incarnation;
  });
  // The incident ends with a canary, a moment after the server answers.
  const folder = dirname(statePathsOf(workspace.dataDirectory).keeperLock);
  using metrics = new MetricsStore({ path: join(folder, "metrics.db") });
  await until("the end of the incident", () => metrics.summary().incidents.closed === 1);
  await workspace.stop();
  const { incidents, recovery, gauges, operations } = metrics.summary();
  expect(incidents).toMatchObject({ opened: 1, closed: 1, mttrMs: expect.any(Number) });
  expect(recovery).toMatchObject({ attempts: 1, succeeded: 1, last: { subject: "restart" } });
  expect(gauges).toContainEqual(expect.objectContaining({ name: "canary.success", value: 1 }));
  expect(gauges).toContainEqual(expect.objectContaining({ name: "queue.depth", value: 0 }));
  expect(operations).toContainEqual(
    expect.objectContaining({ operation: "store.canary", failed: 0 }),
  );
});
