/** What is measured, and what is promised of it. */
export const metrics = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "What is measured, and what is promised of it.",
  properties: {
    flush_interval: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 1,
      description: "The longest that a measurement waits in memory; 0: until the process ends.",
    },
    slow: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 1,
      description: "From here an operation counts as slow.",
    },
    event_keep: {
      type: ["number", "string"],
      minimum: 1,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "400d",
      description: "How long events, such as a breaker's opening, are kept.",
    },
    events_per_kind_max: {
      type: "integer",
      minimum: 1,
      default: 10000,
      description: "Events kept of each kind.",
    },
    series_max: {
      type: "integer",
      minimum: 1,
      default: 1000,
      description: "Series, of all kinds; later ones are counted together under _other.",
    },
    slo: {
      type: "array",
      description: "What is promised. stats shows how much of each error budget is left.",
      default: [],
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "objective"],
        properties: {
          name: { type: "string", minLength: 1 },
          objective: {
            type: "number",
            exclusiveMinimum: 0,
            exclusiveMaximum: 1,
            description: "The share of good runs, such as 0.999.",
          },
          period: {
            type: ["number", "string"],
            minimum: 1,
            pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
            default: "30d",
            description: "Over which time.",
          },
          operations: {
            type: "array",
            items: { type: "string", minLength: 1 },
            minItems: 1,
            description:
              "Which: of memory such as search, of its store such as store.read. Default: all.",
          },
          slow: {
            type: ["number", "string"],
            minimum: 0,
            pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
            description: "A success slower than this is not good. Default: speed does not matter.",
          },
        },
      },
    },
  },
} as const;
