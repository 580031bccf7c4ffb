/** How the store is looked at, and what else is. */
export const health = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "How the store is looked at, and what else is.",
  properties: {
    interval: {
      type: ["number", "string"],
      minimum: 0.1,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 30,
      description: "Between two looks while all is well; what is older than three is unknown.",
    },
    timeout: {
      type: ["number", "string"],
      minimum: 0.01,
      pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
      default: 5,
      description: "Time limit of one call of a check.",
    },
    canary: {
      type: "boolean",
      default: true,
      description: "Write, find and delete a record at each look; false: only read.",
    },
    failure_threshold: {
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 2,
      description: "Failures in a row before a check that passed counts as failing.",
    },
    success_threshold: {
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 2,
      description: "Passes in a row before one that failed counts as passing again.",
    },
    token: {
      type: "object",
      properties: {
        env: { type: "string", minLength: 1 },
        file: { type: "string", minLength: 1, "x-path": "file" },
      },
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      description: "Asked of whoever reads memory monitor --listen; a secret.",
    },
    services: {
      type: "object",
      default: {},
      description: "Services of your own to look at, each by http, tcp or command.",
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        minProperties: 1,
        properties: {
          http: {
            type: "string",
            pattern: "^https?://",
            description: "A URL that must answer to GET.",
          },
          expect_status: {
            type: "integer",
            minimum: 100,
            maximum: 599,
            description: "http: the status it must answer with. Default: any from 200 to 399.",
          },
          tcp: {
            type: "string",
            pattern: "^.+:\\d{1,5}$",
            description: "host:port that must accept connections.",
          },
          command: {
            type: "array",
            items: { type: "string", minLength: 1 },
            minItems: 1,
            description: "A program and its arguments, without a shell, that must end with 0.",
          },
          timeout: {
            type: ["number", "string"],
            minimum: 0.01,
            pattern: "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$",
            description: "Its time limit. Default: health.timeout.",
          },
          severity: {
            type: "string",
            enum: ["offline", "unhealthy", "degraded"],
            default: "degraded",
            description: "What its failure makes of the whole.",
          },
        },
      },
    },
  },
} as const;
