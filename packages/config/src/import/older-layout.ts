import type { YamlNode } from "@holdfast/document";

const SETTINGS = ["global_enabled", "max_memory_operations_per_second", "validation_strict"];
const SECTIONS = ["performance", "monitoring", "backend", "trigger_policies", "features"];

/** Whether a document has the layout that came before `config_version`: no schema can tell. */
export function isOlderLayout(root: YamlNode): boolean {
  if (root.kind !== "map") return false;
  const has = (key: string): boolean => root.entries.has(key);
  return SETTINGS.some(has) || SECTIONS.filter(has).length > 1;
}

/** What a key of the older layout becomes. */
export interface Mapping {
  from: string;
  to: string;
  /** The new value; undefined when the old one has no meaning here. Default: as it is. */
  value?: (old: unknown) => unknown;
}

const days = (old: unknown): unknown =>
  typeof old === "number" && old > 0 ? `${old}d` : undefined;
const rule =
  (category: string) =>
  (old: unknown): unknown =>
    days(old) === undefined ? undefined : [{ category, ttl: days(old) }];

/** By the order of their weight: where two lead to the same key, the first counts. */
export const MAPPINGS: readonly Mapping[] = [
  { from: "environment", to: "environment" },
  { from: "global_enabled", to: "enabled" },
  ...[
    "collection_name",
    "persist_directory",
    "path",
    "host",
    "port",
    "ssl",
    "tenant",
    "database",
  ].map((key) => ({ from: `backend.backend_settings.${key}`, to: `vector_store.config.${key}` })),
  { from: "backend.write_timeout", to: "circuit_breaker.operations.write.timeout" },
  { from: "backend.read_timeout", to: "circuit_breaker.operations.read.timeout" },
  { from: "performance.search_timeout", to: "circuit_breaker.operations.read.timeout" },
  { from: "performance.create_timeout", to: "outbox.wait" },
  {
    from: "performance.max_concurrent_operations",
    to: "circuit_breaker.bulkhead.concurrency_max",
  },
  { from: "performance.background_queue_size", to: "outbox.records_max" },
  { from: "lifecycle.default_retention_days", to: "lifecycle.default", value: days },
  ...["important", "error", "workflow"].map((category) => ({
    from: `lifecycle.${category}_memory_retention_days`,
    to: "lifecycle.rules",
    value: rule(category),
  })),
  {
    from: "lifecycle.archival_enabled",
    to: "lifecycle.archive",
    value: (old) => (old === true ? ".holdfast/archive" : undefined),
  },
  { from: "monitoring.metrics_retention_days", to: "metrics.event_keep", value: days },
  {
    from: "monitoring.slow_operation_threshold_ms",
    to: "metrics.slow",
    value: (old) => (typeof old === "number" ? `${old}ms` : undefined),
  },
  {
    from: "monitoring.error_rate_threshold",
    to: "metrics.slo",
    value: (old) =>
      typeof old === "number" && old > 0 && old < 1
        ? [{ name: "memory", objective: Number((1 - old).toFixed(6)) }]
        : undefined,
  },
  { from: "monitoring.health_check_interval", to: "health.interval" },
  { from: "monitoring.health_check_timeout", to: "health.timeout" },
  {
    from: "features.auto_recall",
    to: "triggers.recall",
    value: (old) => (old === false ? 0 : undefined),
  },
];

/** What a key of a trigger policy becomes, under the limits of its `trigger_type`. */
export const TRIGGER_LIMITS: Readonly<Record<string, string>> = {
  max_triggers_per_minute: "per_minute",
  cooldown_period_seconds: "cooldown",
};

const POLICIES = "is for a policy now: holdfast policy add";

/** Why what is not mapped is not, by its path or the longest part of it that is known. */
export const REASONS: Readonly<Record<string, string>> = {
  config_version: "the layout's version is config_version: 1 now",
  debug_mode: "is --verbose of a command now",
  config_file_path: "a file does not name itself",
  auto_reload: "a monitor always reloads what is deployed",
  validation_strict: "is holdfast memory validate --strict now",
  max_memory_operations_per_second:
    "no rate limit: calls at once are bounded by circuit_breaker.bulkhead",
  "performance.rate_limit_per_second":
    "no rate limit: calls at once are bounded by circuit_breaker.bulkhead",
  "performance.recall_timeout": "recall has one limit, circuit_breaker.operations.read.timeout",
  "performance.search_timeout": "backend.read_timeout counts",
  "performance.batch_size": "a batch is as large as the store allows",
  "performance.cache_enabled": "there is no cache to fall stale: the mirror answers",
  "performance.cache_ttl_seconds": "there is no cache to fall stale: the mirror answers",
  "performance.cache_max_size": "there is no cache to fall stale: the mirror answers",
  "performance.max_memory_size_mb": "what is queued is bounded by outbox.bytes_max",
  "performance.min_memory_quality_score": POLICIES,
  "performance.background_processing_enabled": "writes are always accepted first and stored behind",
  "performance.worker_thread_count": "one process applies at a time, by lease",
  "lifecycle.auto_cleanup_enabled": "memory prune applies retention when it is run",
  "lifecycle.cleanup_interval_hours": "memory prune applies retention when it is run",
  "lifecycle.min_quality_for_retention": POLICIES,
  "lifecycle.quality_based_cleanup": POLICIES,
  "lifecycle.archive_after_days": "what is pruned is archived when it is pruned",
  "monitoring.metrics_enabled": "metrics are always kept",
  "monitoring.health_check_enabled": "whoever runs a monitor wants it to check",
  "monitoring.log_level": "is --verbose of a command now",
  "monitoring.alerting_enabled": "alerts are told where alerts.channels says",
  "monitoring.alert_channels": "write them anew as alerts.channels",
  backend: "has no counterpart: the store is Chroma",
  "backend.backend_type": "the store is Chroma",
  "backend.backend_settings": "has no counterpart; secrets are {env: NAME} or {file: PATH} now",
  "backend.max_retries": "the outbox retries until a write is stored or refused for good",
  "backend.retry_delay": "the outbox retries until a write is stored or refused for good",
  "backend.failover_enabled": "the mirror answers while the store is down",
  "backend.failover_backends": "the mirror answers while the store is down",
  "backend.encryption_enabled": "files are readable by you alone; encrypt the disk",
  "backend.encryption_key_path": "files are readable by you alone; encrypt the disk",
  trigger_policies: POLICIES,
  features: "what is remembered is for policies and triggers to say",
  "features.auto_recall": "recall is on already: triggers.recall",
};
