/** Who is told by memory monitor --alerts. */
export const alerts = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "Who is told by memory monitor --alerts.",
  properties: {
    channels: {
      type: "array",
      default: [{ type: "console" }],
      description: "Ways to tell. Default: the console.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["type"],
        properties: {
          type: { type: "string", enum: ["console", "file", "command", "webhook"] },
          path: {
            type: "string",
            minLength: 1,
            "x-path": "file",
            description: "file: where a line of JSON is appended.",
          },
          command: {
            type: "array",
            items: { type: "string", minLength: 1 },
            minItems: 1,
            description: "command: a program and its arguments; JSON on its stdin.",
          },
          url: { type: "string", pattern: "^https?://", description: "webhook: where to post." },
          secret: {
            type: "object",
            properties: {
              env: { type: "string", minLength: 1 },
              file: { type: "string", minLength: 1, "x-path": "file" },
            },
            additionalProperties: false,
            minProperties: 1,
            maxProperties: 1,
            description: "webhook: signs what is posted; a secret.",
          },
          allow_addresses: {
            type: "array",
            items: { type: "string", minLength: 1 },
            description: "webhook: addresses and networks to allow though not public.",
          },
        },
      },
    },
    on: {
      type: "array",
      items: { type: "string", enum: ["down", "degraded", "unknown", "gave_up", "foreseen"] },
      default: ["down", "gave_up", "foreseen"],
      description: "What is worth telling. That it is over is told with it.",
    },
    cooldown: {
      type: ["number", "string"],
      minimum: 0,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: "5m",
      description: "A subject is told at most once in this time; repeats are counted.",
    },
  },
} as const;
