/** When calls to a failing store stop, and when they start again. */
export const circuitBreaker = {
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
} as const;
