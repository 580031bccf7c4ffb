/** What is remembered without anybody asking for it. */
export const triggers = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "What is remembered without anybody asking for it.",
  properties: {
    enabled: {
      type: "boolean",
      default: true,
      description: "false: nothing is; for a single command, --no-trigger.",
    },
    commands: {
      type: "boolean",
      default: true,
      description: "Remember the commands of holdfast itself, under the tag command.",
    },
    keep: {
      type: ["number", "string"],
      minimum: 1,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "30d",
      description: "How long it is remembered.",
    },
    merge_window: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "1h",
      description: "What says the same again within this time is counted, not added; 0: off.",
    },
    text_min: {
      type: "integer",
      minimum: 1,
      default: 1,
      description: "Shorter texts are not remembered, in characters.",
    },
    text_max: {
      type: "integer",
      minimum: 16,
      maximum: 1000000,
      default: 8000,
      description: "Longer texts lose their middle, in characters.",
    },
    limits: {
      type: "object",
      default: {},
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        properties: {
          per_minute: {
            type: "integer",
            minimum: 0,
            description: "At most so many a minute.",
          },
          cooldown: {
            type: ["number", "string"],
            minimum: 0,
            pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
            description: "Not again before this time has passed.",
          },
        },
      },
      description: "By type: command, workflow, agent, task, success, error, pattern or decision.",
    },
    stderr_tail: {
      type: "integer",
      minimum: 0,
      maximum: 65536,
      default: 4096,
      description: "run: bytes at the end of stderr that are remembered of a failure; 0: none.",
    },
    recall: {
      type: "integer",
      minimum: 0,
      maximum: 50,
      default: 5,
      description: "hook: memories that a coding agent is reminded of; 0: none.",
    },
    hook_budget: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "200ms",
      description:
        "hook: later than this after its start, nothing is recalled; it captures always.",
    },
  },
} as const;
