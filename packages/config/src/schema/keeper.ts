/** The process that runs a managed server. */
export const keeper = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "The process that runs a managed server.",
  properties: {
    idle_timeout: {
      type: ["number", "string"],
      minimum: 1,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "15m",
      description: "managed: the server stops after so long without use.",
    },
  },
} as const;
