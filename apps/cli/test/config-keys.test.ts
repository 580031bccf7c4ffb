import { expect, test } from "@jest/globals";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BREAKER_DEFAULTS } from "@holdfast/breaker";
import { configSchema, parseConfig } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { MEMORY_DEFAULTS, RETENTION_DEFAULTS } from "@holdfast/memory";

test("every section has a file that tests its keys, and no key is without a test", () => {
  const files = readdirSync(join(import.meta.dirname, "config-keys"));
  const named = files.flatMap((file) => /^(.+)\.test\.ts$/.exec(file)?.[1] ?? []);
  const sections = Object.keys(configSchema.properties).map((name) => name.replaceAll("_", "-"));
  expect(named.toSorted()).toEqual(sections.toSorted());
});

test("the schema's defaults are the packages' own", () => {
  const { config } = parseConfig("", { file: "/x/holdfast.yaml", environment: {} });
  const { circuit_breaker: breaker, outbox } = config;
  expect({
    enabled: breaker.enabled,
    failureThreshold: breaker.failure_threshold,
    recoveryTimeoutMs: durationMs(breaker.recovery_timeout),
    successThreshold: breaker.success_threshold,
    timeoutMs: durationMs(breaker.timeout),
    halfOpenProbesMax: breaker.half_open_probes_max,
    rampMs: durationMs(breaker.ramp),
  }).toEqual({
    enabled: BREAKER_DEFAULTS.enabled,
    failureThreshold: BREAKER_DEFAULTS.failureThreshold,
    recoveryTimeoutMs: BREAKER_DEFAULTS.recoveryTimeoutMs,
    successThreshold: BREAKER_DEFAULTS.successThreshold,
    timeoutMs: BREAKER_DEFAULTS.timeoutMs,
    halfOpenProbesMax: BREAKER_DEFAULTS.halfOpenProbesMax,
    rampMs: BREAKER_DEFAULTS.rampMs,
  });
  expect({
    recordsMax: outbox.records_max,
    bytesMax: outbox.bytes_max,
    keptRecordsMax: outbox.kept_records_max,
    keptBytesMax: outbox.kept_bytes_max,
  }).toEqual(MEMORY_DEFAULTS.outbox);
  const { keep_last: last, keep_daily: daily, keep_weekly, keep_monthly } = config.backup;
  expect({ last, daily, weekly: keep_weekly, monthly: keep_monthly }).toEqual(RETENTION_DEFAULTS);
  expect(durationMs(outbox.wait)).toBe(MEMORY_DEFAULTS.waitMs);
  expect(durationMs(breaker.timeout)).toBe(MEMORY_DEFAULTS.limits.writeMs);
  expect(config.vector_store.config.collection_name).toBe(MEMORY_DEFAULTS.collection);
});
