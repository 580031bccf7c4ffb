import { expect, test } from "@jest/globals";
import { BACKOFF_DEFAULTS, BREAKER_DEFAULTS, SLOW_CALL_DEFAULTS } from "@holdfast/breaker";
import { MANAGED_SERVER_DEFAULTS } from "@holdfast/chroma";
import { configSchema } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { createEmbedder } from "@holdfast/embedder";
import {
  BACKUP_DEFAULTS,
  MEMORY_DEFAULTS,
  REDACTOR_DEFAULTS,
  RETENTION_DEFAULTS,
  TRIGGER_BOUNDS,
} from "@holdfast/memory";
import { CAPTURE_DEFAULTS } from "@holdfast/memory/capture";
import { METRICS_DEFAULTS, SLO_DEFAULTS } from "@holdfast/metrics";
import { NOTIFIER_DEFAULTS } from "@holdfast/notify";
import { DECIDER_DEFAULTS } from "@holdfast/policy";
import { HEALTH_DEFAULTS, RESTART_DEFAULTS, SUPERVISOR_DEFAULTS } from "@holdfast/recovery";

const { provider } = await createEmbedder().identity();
const { outbox } = MEMORY_DEFAULTS;

/** What a package does when it is told nothing, by the key that tells it; times in milliseconds. */
const OWNED: Readonly<Record<string, unknown>> = {
  "vector_store.config.collection_name": MEMORY_DEFAULTS.collection,
  "vector_store.config.allow_reset": MANAGED_SERVER_DEFAULTS.allowReset,
  "embedder.provider": provider,
  "circuit_breaker.enabled": BREAKER_DEFAULTS.enabled,
  "circuit_breaker.failure_threshold": BREAKER_DEFAULTS.failureThreshold,
  "circuit_breaker.recovery_timeout": BREAKER_DEFAULTS.recoveryTimeoutMs,
  "circuit_breaker.success_threshold": BREAKER_DEFAULTS.successThreshold,
  "circuit_breaker.timeout": BREAKER_DEFAULTS.timeoutMs,
  "circuit_breaker.slow_calls.window": SLOW_CALL_DEFAULTS.windowMs,
  "circuit_breaker.slow_calls.minimum_calls": SLOW_CALL_DEFAULTS.minimumCalls,
  "circuit_breaker.half_open_probes_max": BREAKER_DEFAULTS.halfOpenProbesMax,
  "circuit_breaker.backoff.multiplier": BACKOFF_DEFAULTS.multiplier,
  "circuit_breaker.backoff.max": BACKOFF_DEFAULTS.maxMs,
  "circuit_breaker.backoff.jitter": BACKOFF_DEFAULTS.jitter,
  "circuit_breaker.ramp": BREAKER_DEFAULTS.rampMs,
  "outbox.records_max": outbox.recordsMax,
  "outbox.bytes_max": outbox.bytesMax,
  "outbox.kept_records_max": outbox.keptRecordsMax,
  "outbox.kept_bytes_max": outbox.keptBytesMax,
  "outbox.wait": MEMORY_DEFAULTS.waitMs,
  "backup.compression": BACKUP_DEFAULTS.compression,
  "backup.keep_last": RETENTION_DEFAULTS.last,
  "backup.keep_daily": RETENTION_DEFAULTS.daily,
  "backup.keep_weekly": RETENTION_DEFAULTS.weekly,
  "backup.keep_monthly": RETENTION_DEFAULTS.monthly,
  "keeper.idle_timeout": MANAGED_SERVER_DEFAULTS.orphanMs,
  "health.interval": HEALTH_DEFAULTS.intervalMs,
  "health.timeout": HEALTH_DEFAULTS.timeoutMs,
  "health.failure_threshold": HEALTH_DEFAULTS.failureThreshold,
  "health.success_threshold": HEALTH_DEFAULTS.successThreshold,
  "policies.timezone": DECIDER_DEFAULTS.timezone,
  "policies.seed": DECIDER_DEFAULTS.seed,
  "recovery.attempts_max": RESTART_DEFAULTS.attemptsMax,
  "recovery.attempts_window": RESTART_DEFAULTS.windowMs,
  "recovery.backoff_max": RESTART_DEFAULTS.backoff.maxMs,
  "recovery.risk_max": SUPERVISOR_DEFAULTS.riskMax,
  "alerts.cooldown": NOTIFIER_DEFAULTS.cooldownMs,
  "redaction.high_entropy": REDACTOR_DEFAULTS.highEntropy,
  "triggers.merge_window": CAPTURE_DEFAULTS.mergeWindowMs,
  "triggers.text_min": TRIGGER_BOUNDS.textLengthMin,
  "triggers.text_max": TRIGGER_BOUNDS.textLengthMax,
  "metrics.flush_interval": METRICS_DEFAULTS.flushIntervalMs,
  "metrics.slow": METRICS_DEFAULTS.slowMs,
  "metrics.event_keep": METRICS_DEFAULTS.eventKeepMs,
  "metrics.events_per_kind_max": METRICS_DEFAULTS.eventsPerKindMax,
  "metrics.series_max": METRICS_DEFAULTS.seriesMax,
  "metrics.slo[].period": durationMs(SLO_DEFAULTS.period),
};

/** Defaults that the schema alone states: a package has none, or none that can differ. */
const CONFIG_OWN: readonly string[] = [
  "config_version",
  "environment",
  "enabled",
  "vector_store.provider",
  // Told nothing, Chroma's directory decides, and it says false.
  "vector_store.config.keep_replayable",
  "vector_store.config.anonymized_telemetry",
  "backup.directory",
  "backup.include_policies",
  "health.canary",
  "health.services.*.severity",
  "lifecycle.default",
  "policies.enabled",
  "policies.directory",
  "policies.record_events",
  "alerts.channels",
  "alerts.on",
  "triggers.enabled",
  "triggers.commands",
  "triggers.keep",
  "triggers.stderr_tail",
  "triggers.recall",
  "triggers.hook_budget",
];

interface SchemaNode {
  type?: string | readonly string[];
  default?: unknown;
  properties?: Readonly<Record<string, SchemaNode>>;
  items?: SchemaNode;
  additionalProperties?: boolean | SchemaNode;
}

/** Every default that says something, by its path; of a schema that stands twice, the first. */
function defaultsOf(
  schema: SchemaNode,
  path: string,
  seen: Set<SchemaNode> = new Set(),
): [path: string, value: unknown][] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const { type = [], default: value, properties = {}, items, additionalProperties } = schema;
  const own: [string, unknown][] = isEmpty(value) ? [] : [[path, inMs(value, type)]];
  const below = Object.entries(properties).flatMap(([key, sub]) =>
    defaultsOf(sub, path === "" ? key : `${path}.${key}`, seen),
  );
  if (items !== undefined) below.push(...defaultsOf(items, `${path}[]`, seen));
  if (typeof additionalProperties === "object")
    below.push(...defaultsOf(additionalProperties, `${path}.*`, seen));
  return [...own, ...below];
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === "object" && Object.keys(value ?? {}).length === 0);

/** What may be a number or a text is a duration. */
function inMs(value: unknown, type: string | readonly string[]): unknown {
  const isDuration = type.includes("number") && type.includes("string");
  return isDuration && value !== "never" ? durationMs(value as number | string) : value;
}

test("every default of the schema is its package's own, or the schema's alone", () => {
  const stated = defaultsOf(configSchema, "");
  const owned = stated.filter(([path]) => !CONFIG_OWN.includes(path));
  expect(Object.fromEntries(owned)).toEqual(OWNED);
  const paths = stated.map(([path]) => path);
  expect(CONFIG_OWN.filter((path) => !paths.includes(path))).toEqual([]);
});

test("a write may take as long as the breaker lets a call take", () => {
  expect(MEMORY_DEFAULTS.limits.writeMs).toBe(BREAKER_DEFAULTS.timeoutMs);
});
