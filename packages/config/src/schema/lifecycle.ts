/** How long memories are kept; memory prune applies it. */
export const lifecycle = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "How long memories are kept. memory prune applies it.",
  properties: {
    default: {
      type: ["number", "string"],
      minimum: 1,
      pattern: "^\\s*(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?|never)\\s*$",
      default: "never",
      description: "Since the last write, for memories that no rule fits and without own ttl.",
    },
    rules: {
      type: "array",
      default: [],
      description: "The first rule that fits a memory counts.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["ttl"],
        minProperties: 2,
        properties: {
          category: {
            type: "string",
            minLength: 1,
            description: "Fits memories whose metadata category is this.",
          },
          tag: {
            type: "string",
            minLength: 1,
            description: "Fits memories with this tag; with a category, those that have both.",
          },
          ttl: {
            type: ["number", "string"],
            minimum: 1,
            pattern: "^\\s*(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?|never)\\s*$",
            description: "How long they are kept since the last write, or never for no end.",
          },
        },
      },
    },
    archive: {
      type: "string",
      minLength: 1,
      "x-path": "folder",
      description: "Folder where pruned memories are written to first. Default: nowhere.",
    },
  },
} as const;
