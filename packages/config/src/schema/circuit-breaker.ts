// oxlint-disable typescript/no-unnecessary-type-assertion -- isolatedDeclarations wants types written

/** A breaker that opens on a share of calls, not on failures in a row. */
export const trip = {
  type: "object",
  additionalProperties: false,
  required: ["kind", "failure_rate"],
  description:
    "Opens on a share of failed calls, as one process sees them. Default: on failures in a row.",
  properties: {
    kind: {
      type: "string",
      enum: ["count", "time"],
      description: "count: of the last calls. time: of the calls of the last while.",
    },
    calls: {
      type: "integer",
      minimum: 1,
      maximum: 100000,
      description: "count: the last so many calls.",
    },
    window: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      description: "time: the last while.",
    },
    failure_rate: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      description: "The share of failed calls that opens it.",
    },
    minimum_calls: {
      type: "integer",
      minimum: 1,
      maximum: 100000,
      description: "Fewer calls open nothing. Default 10, or calls when that is less.",
    },
  },
} as const;

/** Slow successes that count against the store too. */
export const slowCalls = {
  type: "object",
  additionalProperties: false,
  required: ["slower_than", "rate"],
  description:
    "Opens on a share of slow calls, as one process sees them. Default: slowness is no failure.",
  properties: {
    slower_than: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      description: "A call is slow when it takes longer.",
    },
    rate: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      description: "The share of slow calls that opens it.",
    },
    window: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 60,
      description: "Of the calls of the last while.",
    },
    minimum_calls: {
      type: "integer",
      minimum: 1,
      maximum: 100000,
      default: 10,
      description: "Fewer calls open nothing.",
    },
  },
} as const;

/** How the wait grows while recovery fails. */
export const backoff = {
  type: "object",
  additionalProperties: false,
  description: "Lengthens the wait with each failed recovery. Default: it stays recovery_timeout.",
  properties: {
    multiplier: {
      type: "number",
      minimum: 1,
      maximum: 1000,
      default: 2,
      description: "Each failed recovery multiplies the wait by this.",
    },
    max: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "10m",
      description: "The longest wait.",
    },
    jitter: {
      type: "number",
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: "The share of the wait that is random.",
    },
  },
} as const;

/** How many calls may run. */
export const bulkhead = {
  type: "object",
  additionalProperties: false,
  required: ["concurrency_max"],
  description: "Bounds the calls of one process that have not ended. Default: no bound.",
  properties: {
    concurrency_max: {
      type: "integer",
      minimum: 1,
      maximum: 100000,
      description: "Calls that run at once; more are refused.",
    },
  },
} as const;

/** One operation's breaker: what it does not state, it takes from the one above. */
export const operation = {
  type: "object",
  additionalProperties: false,
  properties: {
    failure_threshold: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      description: "Consecutive failures that open it, counted across processes.",
    },
    recovery_timeout: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      description: "How long it stays open before a probe.",
    },
    success_threshold: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      description: "Successful probes that close it.",
    },
    timeout: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      description: "Time limit of one call.",
    },
    trip: trip as typeof trip,
    slow_calls: slowCalls as typeof slowCalls,
    bulkhead: bulkhead as typeof bulkhead,
    half_open_probes_max: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      description: "Probes that may run at once while it recovers.",
    },
    backoff: backoff as typeof backoff,
    ramp: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      description:
        "After a recovery lets 10, 25, then 50 % of calls through over this time. 0: all at once.",
    },
  },
} as const;

/** When calls to a failing store stop, and when they start again. */
export const circuitBreaker = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "When calls to a failing store stop, and when they start again.",
  properties: {
    enabled: {
      type: "boolean",
      default: true,
      description: "false: it counts and refuses nothing; time limits and bulkhead still hold.",
    },
    failure_threshold: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: "Consecutive failures that open it, counted across processes.",
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
    trip: trip as typeof trip,
    slow_calls: slowCalls as typeof slowCalls,
    bulkhead: bulkhead as typeof bulkhead,
    half_open_probes_max: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 1,
      description: "Probes that may run at once while it recovers.",
    },
    backoff: backoff as typeof backoff,
    ramp: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 0,
      description:
        "After a recovery lets 10, 25, then 50 % of calls through over this time. 0: all at once.",
    },

    operations: {
      type: "object",
      additionalProperties: false,
      description:
        "Recall (read) and storing (write) have a breaker each; what differs between them.",
      properties: { read: operation as typeof operation, write: operation as typeof operation },
    },
  },
} as const;
