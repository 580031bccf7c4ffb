/** What is taken out of texts before they are written anywhere. */
export const redaction = {
  type: "object",
  additionalProperties: false,
  default: {},
  description:
    "What is taken out of texts before they are written anywhere, besides known secrets.",
  properties: {
    patterns: {
      type: "object",
      additionalProperties: { type: "string", minLength: 1, maxLength: 1000 },
      default: {},
      description:
        "Secrets of your own: a name, as the mark shows it, and a regular expression (RE2).",
    },
    high_entropy: {
      type: "boolean",
      default: true,
      description: "Take out what looks random, whatever stands around it.",
    },
  },
} as const;
