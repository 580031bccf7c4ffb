import type { FromSchema } from "json-schema-to-ts";
import { backup } from "./schema/backup.ts";
import { alerts } from "./schema/alerts.ts";
import { circuitBreaker } from "./schema/circuit-breaker.ts";
import { embedder } from "./schema/embedder.ts";
import { health } from "./schema/health.ts";
import { keeper } from "./schema/keeper.ts";
import { lifecycle } from "./schema/lifecycle.ts";
import { metrics } from "./schema/metrics.ts";
import { outbox } from "./schema/outbox.ts";
import { policies } from "./schema/policies.ts";
import { recovery } from "./schema/recovery.ts";
import { redaction } from "./schema/redaction.ts";
import { triggers } from "./schema/triggers.ts";
import { vectorStore } from "./schema/vector-store.ts";

// oxlint-disable typescript/no-unnecessary-type-assertion -- isolatedDeclarations wants types written

/**
 * The configuration file, JSON Schema draft-07: each section is a file of `schema/`. Only keys
 * whose feature exists, each with a test in the command line's `config-keys`. Every default stands
 * in the schema and nowhere else in this package; durations are seconds, or text such as "30s".
 */
export const configSchema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  $id: "https://holdfast-memory.github.io/schema/config/v1.json",
  title: "Holdfast configuration",
  type: "object",
  additionalProperties: false,
  properties: {
    config_version: {
      type: "integer",
      enum: [1],
      default: 1,
      description: "The version of this file's layout.",
    },
    environment: {
      type: "string",
      enum: ["development", "testing", "staging", "production"],
      default: "development",
      description: "What the file is for; --env refuses a file made for another environment.",
    },
    enabled: {
      type: "boolean",
      default: true,
      description:
        "false: nothing is remembered, recalled or forgotten; what is stored stays as it is.",
    },
    vector_store: vectorStore as typeof vectorStore,
    embedder: embedder as typeof embedder,
    circuit_breaker: circuitBreaker as typeof circuitBreaker,
    outbox: outbox as typeof outbox,
    backup: backup as typeof backup,
    keeper: keeper as typeof keeper,
    health: health as typeof health,
    lifecycle: lifecycle as typeof lifecycle,
    policies: policies as typeof policies,
    recovery: recovery as typeof recovery,
    alerts: alerts as typeof alerts,
    redaction: redaction as typeof redaction,
    triggers: triggers as typeof triggers,
    metrics: metrics as typeof metrics,
  },
} as const;

/** The configuration in force: valid, defaults filled in, paths absolute. */
export type Config = FromSchema<typeof configSchema>;

/** A secret by reference; it is read when it is used, and never printed. */
export interface SecretReference {
  env?: string;
  file?: string;
}
