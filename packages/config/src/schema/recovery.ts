/** What is done unasked when the store does not work. */
export const recovery = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "What is done unasked when the store does not work.",
  properties: {
    attempts_max: {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: "Attempts within attempts_window; then a person is told, and none is made.",
    },
    attempts_window: {
      type: ["number", "string"],
      minimum: 1,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "10m",
      description: "See attempts_max.",
    },
    backoff_max: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 10,
      description: "The longest wait before an attempt; the waits grow, with jitter.",
    },
    risk_max: {
      type: "string",
      enum: ["none", "low", "medium", "high"],
      default: "medium",
      description: "Steps of greater risk are left to memory recover.",
    },
    restart_command: {
      type: "array",
      items: { type: "string", minLength: 1 },
      minItems: 1,
      description: "server: a program and its arguments that restart Chroma, where it runs.",
    },
    restart_unit: {
      type: "string",
      minLength: 1,
      description: "server: the systemd unit to restart, as in chroma.service.",
    },
  },
} as const;
