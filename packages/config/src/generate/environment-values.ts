import type { EnvironmentName } from "../deploy/origin.ts";

/** A value as YAML writes it in one line. */
type Written = string;

const WATCHED: Readonly<Record<string, Written>> = {
  "circuit_breaker.slow_calls": "{ slower_than: 5s, rate: 0.5 }",
  "circuit_breaker.backoff": "{ multiplier: 2, max: 10m }",
  "circuit_breaker.ramp": "30s",
  "metrics.slo":
    "[{ name: memory, objective: 0.999 }, { name: store, objective: 0.99 }, { name: recall, objective: 0.99, operations: [search], slow: 2s }]",
};

/**
 * Where an environment wants something else than the default, by path. Development wants the
 * defaults; tests must end soon and leave nothing behind for one another; what people rely on is
 * watched, and is kept running.
 */
export const ENVIRONMENT_VALUES: Readonly<
  Record<EnvironmentName, Readonly<Record<string, Written>>>
> = {
  development: {
    "vector_store.config.persist_directory": ".holdfast/chroma",
  },
  testing: {
    "vector_store.config.collection_name": "memories-testing",
    "vector_store.config.persist_directory": ".holdfast/testing/chroma",
    "circuit_breaker.failure_threshold": "3",
    "circuit_breaker.recovery_timeout": "1s",
    "circuit_breaker.success_threshold": "1",
    "circuit_breaker.timeout": "10s",
    "outbox.wait": "30s",
    "keeper.idle_timeout": "30s",
  },
  staging: {
    "vector_store.config.collection_name": "memories-staging",
    "vector_store.config.persist_directory": ".holdfast/staging/chroma",
    "keeper.idle_timeout": "8h",
    ...WATCHED,
  },
  production: {
    "vector_store.config.persist_directory": ".holdfast/production/chroma",
    "keeper.idle_timeout": "24h",
    ...WATCHED,
  },
};
