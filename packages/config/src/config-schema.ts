import type { FromSchema } from "json-schema-to-ts";

/**
 * The configuration file, JSON Schema draft-07. Only keys whose feature exists. Every default
 * stands here and nowhere else in this package; `duration` properties accept seconds or "30s".
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
    vector_store: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        provider: { type: "string", enum: ["chroma"], default: "chroma" },
        config: {
          type: "object",
          additionalProperties: false,
          default: {},
          properties: {
            mode: {
              type: "string",
              enum: ["managed", "server", "cloud"],
              description:
                "managed: Holdfast runs Chroma on this machine. server: one that runs elsewhere. cloud: Chroma Cloud. Default: server when host is given, else managed.",
            },
            collection_name: {
              type: "string",
              pattern: "^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$",
              default: "memories",
              description: "3 to 512 letters, digits, dots, dashes or underscores.",
            },
            persist_directory: {
              type: "string",
              minLength: 1,
              description:
                "managed: where Chroma writes. Default .holdfast/chroma beside this file.",
            },
            path: {
              type: "string",
              minLength: 1,
              description: "Older name of persist_directory, which wins when both are given.",
            },
            command: {
              type: "array",
              items: { type: "string", minLength: 1 },
              minItems: 1,
              description: "managed: the command that starts the server. Default: found by itself.",
            },
            allow_reset: {
              type: "boolean",
              default: false,
              description: "managed: whether the server obeys a request to delete everything.",
            },
            anonymized_telemetry: {
              type: "boolean",
              default: false,
              description: "managed: whether the server may report usage, where its build can.",
            },
            host: { type: "string", minLength: 1, description: "server: name or address." },
            port: {
              type: "integer",
              minimum: 1,
              maximum: 65535,
              description: "server: default 8000, with ssl 443.",
            },
            ssl: { type: "boolean", description: "server: https. Default false." },
            headers: {
              type: "object",
              additionalProperties: {
                type: ["string", "object"],
                properties: {
                  env: { type: "string", minLength: 1 },
                  file: { type: "string", minLength: 1 },
                },
                additionalProperties: false,
                minProperties: 1,
                maxProperties: 1,
              },
              description: "server, cloud: sent with every request.",
            },
            tenant: { type: "string", minLength: 1 },
            database: { type: "string", minLength: 1 },
            token: {
              type: "object",
              properties: {
                env: { type: "string", minLength: 1 },
                file: { type: "string", minLength: 1 },
              },
              additionalProperties: false,
              minProperties: 1,
              maxProperties: 1,
              description: "server, cloud: a secret, as {env: NAME} or {file: PATH}.",
            },
          },
        },
      },
    },
    embedder: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        provider: {
          type: "string",
          minLength: 1,
          default: "default",
          description: "default works offline; others by the name of their @chroma-core package.",
        },
        model: { type: "string", minLength: 1 },
        options: {
          type: "object",
          additionalProperties: {
            type: ["string", "number", "boolean", "object"],
            properties: {
              env: { type: "string", minLength: 1 },
              file: { type: "string", minLength: 1 },
            },
            additionalProperties: false,
            minProperties: 1,
            maxProperties: 1,
          },
          description: "Handed to the provider; secrets as {env: NAME} or {file: PATH}.",
        },
      },
    },
    circuit_breaker: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        enabled: { type: "boolean", default: true },
        failure_threshold: {
          type: "integer",
          minimum: 1,
          maximum: 1000,
          default: 5,
          description: "Consecutive failures that open it.",
        },
        recovery_timeout: {
          type: ["number", "string"],
          minimum: 0,
          pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
          default: 60,
          description: "How long it stays open before a probe.",
        },
        success_threshold: {
          type: "integer",
          minimum: 1,
          maximum: 1000,
          default: 3,
          description: "Successful probes that close it.",
        },
        timeout: {
          type: ["number", "string"],
          minimum: 0,
          pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
          default: 30,
          description: "Time limit of one call to the store; recall gives up after 10 s at most.",
        },
      },
    },
    outbox: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        records_max: {
          type: "integer",
          minimum: 1,
          default: 100000,
          description: "Queued writes; more are refused until some are stored.",
        },
        bytes_max: {
          type: "integer",
          minimum: 1024,
          default: 268435456,
          description: "Their bytes.",
        },
        kept_records_max: {
          type: "integer",
          minimum: 0,
          default: 100000,
          description: "Stored writes that are kept for replay.",
        },
        kept_bytes_max: {
          type: "integer",
          minimum: 0,
          default: 67108864,
          description: "Their bytes.",
        },
        wait: {
          type: ["number", "string"],
          minimum: 0,
          pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
          default: 10,
          description: "How long a write waits to be stored before it is reported as queued.",
        },
      },
    },
    keeper: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        idle_timeout: {
          type: ["number", "string"],
          minimum: 1,
          pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
          default: "15m",
          description: "managed: the server stops after so long without use.",
        },
      },
    },
  },
} as const;

/** The configuration in force: valid, defaults filled in, paths absolute. */
export type Config = FromSchema<typeof configSchema>;

/** A secret by reference; it is read when it is used, and never printed. */
export interface SecretReference {
  env?: string;
  file?: string;
}
