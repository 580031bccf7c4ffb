import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { memoryMetrics, memoryOutcomeClass } from "@holdfast/memory";
import { MetricsStore, renderText } from "@holdfast/metrics";

let folder: string;
let metrics: MetricsStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-mapping-"));
  metrics = new MetricsStore({ path: join(folder, "metrics.db"), classify: memoryOutcomeClass });
});
afterEach(() => {
  metrics.close();
  rmSync(folder, { recursive: true, force: true });
});

const OPTIONS = { version: "1.2.3", collection: "memories", namespace: "default_database" };

/** One record of everything that is mapped. */
function recordAll(): void {
  metrics.record("add", "queued", 3);
  metrics.record("store.write", "timeout", 30_000);
  metrics.count("captures", 2, { outcome: "queued" });
  metrics.gauge("queue.depth", 2);
  metrics.gauge("queue.oldest-age-ms", 1_500);
  metrics.gauge("queue.dead-letters", 1);
  metrics.gauge("queue.unsettled", 0);
  metrics.lifecycle.breakerTransition("store/write", "closed", "open");
  metrics.lifecycle.recoveryAttempt("restart", "success", 900);
  metrics.lifecycle.backup("nightly", "success", 1_700_000_000_000);
  metrics.gauge("restore.last-verified-ms", 1_700_000_000_000);
  metrics.count("policy.decisions", 1, { rule: "secrets", decision: "deny" });
  metrics.gauge("canary.success", 1);
}

test("everything comes out under the names that dashboards expect, in base units", () => {
  recordAll();
  const text = renderText(metrics.totals(), memoryMetrics(OPTIONS));
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  expect(names).toEqual([
    "memory_operation_duration_seconds",
    "db_client_operation_duration_seconds",
    "memory_captures_total",
    "memory_queue_depth",
    "memory_queue_oldest_age_seconds",
    "memory_dead_letters",
    "memory_unsettled_writes",
    "memory_breaker_state",
    "memory_breaker_transitions_total",
    "memory_recovery_attempts_total",
    "memory_backup_last_success_timestamp_seconds",
    "memory_restore_last_verified_timestamp_seconds",
    "memory_canary_success",
    "memory_policy_decisions_total",
    "memory_build_info",
  ]);
  expect(text).toContain('memory_captures_total{outcome="queued"} 2\n');
  expect(text).toContain("memory_queue_oldest_age_seconds 1.5\n");
  expect(text).toContain('memory_breaker_state{breaker="store/write",state="open"} 1\n');
  expect(text).toContain("memory_backup_last_success_timestamp_seconds 1700000000\n");
  expect(text).toContain('memory_policy_decisions_total{decision="deny",rule="secrets"} 1\n');
  expect(text).toContain('memory_build_info{version="1.2.3"} 1\n');
  // Calls to the store are no memory operations.
  expect(text).not.toMatch(/memory_operation_duration_seconds_count\{.*store\.write/);
  expect(text).toMatch(/db_client_operation_duration_seconds_count\{.*store\.write.*\} 1/);
});

test("OpenTelemetry's database conventions say which call, where, and how it failed", () => {
  const server = { address: "127.0.0.1", port: 8_000 };
  const mapping = memoryMetrics({ ...OPTIONS, server });
  const { otel } = mapping.find(({ otel: names }) => names !== undefined) ?? {};
  expect(otel).toMatchObject({ name: "db.client.operation.duration", unit: "s" });
  expect(otel?.attributes?.({ operation: "store.write", outcome: "timeout" })).toEqual({
    "db.system.name": "chroma",
    "db.collection.name": "memories",
    "db.namespace": "default_database",
    "server.address": "127.0.0.1",
    "server.port": 8_000,
    "db.operation.name": "write",
    "error.type": "timeout",
  });
  const success = otel?.attributes?.({ operation: "store.read", outcome: "success" });
  expect(success).not.toHaveProperty("error.type");
});

test.each([
  ["stored", "success"],
  ["queued", "success"],
  ["degraded", "success"],
  ["dead", "failure"],
  ["failed", "failure"],
  ["timeout", "failure"],
  ["something new", "failure"],
  ["refused", "ignored"],
  ["stopped", "ignored"],
  ["cancelled", "ignored"],
])("%s counts as %s", (outcome, expected) => {
  expect(memoryOutcomeClass("add", outcome)).toBe(expected);
});

const whenPromtool = spawnSync("promtool", ["--version"]).status === 0 ? describe : describe.skip;

whenPromtool("promtool, on PATH as Debian's package prometheus installs it", () => {
  test("finds no fault", () => {
    recordAll();
    const input = renderText(metrics.totals(), memoryMetrics(OPTIONS));
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input,
      encoding: "utf8",
    });
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
  });
});
