import type { MetricMapping } from "../src/index.ts";

/** What a memory service would export; the names are its business, not this package's. */
export const MEMORY_MAPPING: readonly MetricMapping[] = [
  {
    name: "memory_operation_duration_seconds",
    help: "Duration of memory operations.",
    type: "histogram",
    source: { operations: "all" },
  },
  {
    name: "memory_captures_total",
    help: "Captured memories by outcome.",
    type: "counter",
    source: { operations: ["add", "addMany"] },
    labels: { outcome: "outcome" },
  },
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
    name: "memory_breaker_state",
    help: "1 for the state that the breaker is in.",
    type: "gauge",
    source: { gauge: "breaker.state" },
    labels: { state: "state" },
  },
  {
    name: "memory_breaker_transitions_total",
    help: "Changes of the breaker's state.",
    type: "counter",
    source: { counter: "breaker.transitions" },
    labels: {},
  },
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
    name: "memory_policy_decisions_total",
    help: 'Decisions by rule; "deny" included.',
    type: "counter",
    source: { counter: "policy.decisions" },
  },
  {
    name: "memory_build_info",
    help: "Version.",
    type: "gauge",
    source: { constant: 1 },
    constantLabels: { version: "1.2.3" },
  },
];
