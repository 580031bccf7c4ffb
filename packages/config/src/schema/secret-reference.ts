/** The parts of `{env: NAME}` or `{file: PATH}`, for an object that is one or may be one. */
export const secretParts = {
  properties: {
    env: { type: "string", minLength: 1 },
    file: { type: "string", minLength: 1, "x-path": "file" },
  },
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
} as const;
