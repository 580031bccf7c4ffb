import type { Schema } from "@holdfast/document";

const text: Schema = { type: "string" };
const scopeName: Schema = { type: "string", minLength: 1 };

/** The parts of an event as people write it; what is left out is filled in. */
export const eventProperties: Readonly<Record<string, Schema>> = {
  id: { type: "string", minLength: 1 },
  type: { type: "string", minLength: 1 },
  at: { type: "number" },
  scope: {
    type: "object",
    additionalProperties: false,
    properties: {
      user: scopeName,
      agent: scopeName,
      session: scopeName,
      task: scopeName,
      workflow: scopeName,
      project: scopeName,
    },
  },
  text,
  tags: { type: "array", items: text },
  metadata: { type: "object" },
  source: text,
  priority: { type: ["string", "number"] },
  context: { type: "object" },
};
