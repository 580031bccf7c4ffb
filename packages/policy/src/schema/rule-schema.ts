/** The fields of a rule but its conditions and actions. */
export const ruleFields = {
  type: "object",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", minLength: 1, maxLength: 255 },
    description: { type: "string", maxLength: 10_000 },
    enabled: { type: "boolean", default: true },
    priority: {
      type: "integer",
      minimum: 0,
      maximum: 1000,
      default: 0,
      description: "Higher ones decide first.",
    },
    scope: {
      type: "string",
      enum: ["global", "agent", "workflow", "task", "user", "session"],
      default: "global",
      description:
        "session: for events that name a session, its limits counted for each session apart. global: for all.",
    },
    condition_operator: { type: "string", enum: ["AND", "OR"], default: "AND" },
    max_executions: {
      type: "integer",
      minimum: 1,
      maximum: 1_000_000_000,
      description: "How often it acts at most, ever.",
    },
    cooldown_period: {
      type: "number",
      minimum: 0,
      maximum: 31_536_000,
      description: "Seconds after it has acted in which it does not.",
    },
    tags: { type: "array", items: { type: "string", minLength: 1 }, maxItems: 64 },
    metadata: { type: "object" },
  },
} as const;
