/** What is accepted and not yet stored, and how much of it. */
export const outbox = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "What is accepted and not yet stored.",
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
} as const;
