/** What turns text into vectors. */
export const embedder = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "What turns text into vectors.",
  properties: {
    provider: {
      type: "string",
      minLength: 1,
      default: "default",
      description:
        "default works offline; hash does without a model and finds shared words alone; others by the name of their @chroma-core package.",
    },
    model: { type: "string", minLength: 1 },
    options: {
      type: "object",
      additionalProperties: {
        type: ["string", "number", "boolean", "object"],
        properties: {
          env: { type: "string", minLength: 1 },
          file: { type: "string", minLength: 1, "x-path": "file" },
        },
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 1,
      },
      description: "Handed to the provider; secrets as {env: NAME} or {file: PATH}.",
    },
  },
} as const;
