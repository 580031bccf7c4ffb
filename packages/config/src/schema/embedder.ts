import { secretParts } from "./secret-reference.ts";

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
      description: "default works offline; others by the name of their @chroma-core package.",
    },
    model: { type: "string", minLength: 1 },
    options: {
      type: "object",
      additionalProperties: {
        type: ["string", "number", "boolean", "object"],
        ...secretParts,
      },
      description: "Handed to the provider; secrets as {env: NAME} or {file: PATH}.",
    },
  },
} as const;
