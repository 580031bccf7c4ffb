import type { MetricMapping, OutcomeClass } from "@holdfast/metrics";

/** Operations of a memory, as its metrics name them. */
export const MEMORY_OPERATIONS: readonly string[] = [
  "add",
  "addMany",
  "update",
  "search",
  "get",
  "forget",
  "drain",
];

/**
 * Calls to the store: under the breaker, where `store.call` is whatever neither reads nor writes,
 * and a keeper's canaries.
 */
export const STORE_OPERATIONS: readonly string[] = [
  "store.read",
  "store.write",
  "store.call",
  "store.canary",
];

/** Kept promises: a queued write is safe, and a degraded answer says that it is one. */
const SUCCESSES = new Set(["success", "stored", "queued", "degraded"]);
/** Neither way: the caller's fault or wish, and a drain that tries again by itself. */
const IGNORED = new Set(["refused", "cancelled", "ignored", "stopped", "_other"]);

/** How an outcome counts in rates and budgets. Give it to a metrics store as `classify`. */
export function memoryOutcomeClass(_operation: string, outcome: string): OutcomeClass {
  if (SUCCESSES.has(outcome)) return "success";
  return IGNORED.has(outcome) ? "ignored" : "failure";
}

export interface MemoryMetricsOptions {
  /** Of the program that exports, for `memory_build_info`. */
  version: string;
  /** What the OpenTelemetry conventions call `db.collection.name` and `db.namespace`. */
  collection: string;
  namespace?: string;
  /** Where the store answers; left out when that changes from start to start. */
  server?: { address: string; port: number };
}

/**
 * What is recorded, under the names that dashboards expect: Prometheus' in base units, and
 * `db.client.operation.duration` of OpenTelemetry's database conventions. Never a user or record
 * id as a label.
 */
export function memoryMetrics(options: MemoryMetricsOptions): MetricMapping[] {
  return [
    {
      name: "memory_operation_duration_seconds",
      help: "Duration of memory operations by outcome.",
      type: "histogram",
      source: { operations: MEMORY_OPERATIONS },
    },
    storeDuration(options),
    {
      name: "memory_captures_total",
      help: "Memories given to be kept, by outcome.",
      type: "counter",
      source: { counter: "captures" },
    },
    ...QUEUE,
    ...BREAKER,
    ...KEEPING,
    {
      name: "memory_policy_decisions_total",
      help: "Decisions of policies.",
      type: "counter",
      source: { counter: "policy.decisions" },
      labels: { rule: "rule", decision: "decision" },
    },
    {
      name: "memory_build_info",
      help: "Version.",
      type: "gauge",
      source: { constant: 1 },
      constantLabels: { version: options.version },
    },
  ];
}

function storeDuration({ collection, namespace, server }: MemoryMetricsOptions): MetricMapping {
  const place = {
    "db.system.name": "chroma",
    "db.collection.name": collection,
    ...(namespace === undefined ? {} : { "db.namespace": namespace }),
    ...(server === undefined
      ? {}
      : { "server.address": server.address, "server.port": server.port }),
  };
  return {
    name: "db_client_operation_duration_seconds",
    help: "Duration of calls to the store.",
    type: "histogram",
    source: { operations: STORE_OPERATIONS },
    otel: {
      name: "db.client.operation.duration",
      unit: "s",
      attributes: ({ operation = "", outcome = "" }) => ({
        ...place,
        "db.operation.name": operation.replace(/^store\./, ""),
        ...(outcome === "success" ? {} : { "error.type": outcome }),
      }),
    },
  };
}

const QUEUE: readonly MetricMapping[] = [
  {
    name: "memory_queue_depth",
    help: "Writes accepted and not yet stored.",
    type: "gauge",
    source: { gauge: "queue.depth" },
  },
  {
    name: "memory_queue_oldest_age_seconds",
    help: "Age of the oldest such write.",
    type: "gauge",
    source: { gauge: "queue.oldest-age-ms" },
    scale: 0.001,
  },
  {
    name: "memory_dead_letters",
    help: "Writes that the store refused.",
    type: "gauge",
    source: { gauge: "queue.dead-letters" },
  },
  {
    name: "memory_unsettled_writes",
    help: "Ids whose last write has no answer yet.",
    type: "gauge",
    source: { gauge: "queue.unsettled" },
  },
];

const BREAKER: readonly MetricMapping[] = [
  {
    name: "memory_breaker_state",
    help: "1 for the state that the breaker is in.",
    type: "gauge",
    source: { gauge: "breaker.state" },
    labels: { breaker: "breaker", state: "state" },
  },
  {
    name: "memory_breaker_transitions_total",
    help: "Changes of the breaker's state.",
    type: "counter",
    source: { counter: "breaker.transitions" },
  },
];

const KEEPING: readonly MetricMapping[] = [
  {
    name: "memory_recovery_attempts_total",
    help: "Attempts to heal.",
    type: "counter",
    source: { counter: "recovery.attempts" },
  },
  {
    name: "memory_backup_last_success_timestamp_seconds",
    help: "When the last good backup was made.",
    type: "gauge",
    source: { gauge: "backup.last-success-ms" },
    scale: 0.001,
  },
  {
    name: "memory_restore_last_verified_timestamp_seconds",
    help: "When a restore was last proved to work.",
    type: "gauge",
    source: { gauge: "restore.last-verified-ms" },
    scale: 0.001,
  },
  {
    name: "memory_canary_success",
    help: "1 while the canary is written, found and deleted.",
    type: "gauge",
    source: { gauge: "canary.success" },
  },
];
