/** Where memories are stored. */
export const vectorStore = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "Where memories are stored.",
  properties: {
    provider: { type: "string", enum: ["chroma"], default: "chroma" },
    config: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        mode: {
          type: "string",
          enum: ["managed", "server", "cloud"],
          description:
            "managed: Holdfast runs Chroma on this machine. server: one that runs elsewhere. cloud: Chroma Cloud. Default: server when host is given, else managed.",
        },
        collection_name: {
          type: "string",
          pattern: "^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$",
          default: "memories",
          description: "3 to 512 letters, digits, dots, dashes or underscores.",
        },
        persist_directory: {
          type: "string",
          "x-path": "folder",
          minLength: 1,
          description: "managed: where Chroma writes. Default .holdfast/chroma beside this file.",
        },
        path: {
          type: "string",
          "x-path": "folder",
          minLength: 1,
          description: "Older name of persist_directory, which wins when both are given.",
        },
        command: {
          type: "array",
          items: { type: "string", minLength: 1 },
          minItems: 1,
          description: "managed: the command that starts the server. Default: found by itself.",
        },
        allow_reset: {
          type: "boolean",
          default: false,
          description: "managed: whether the server obeys a request to delete everything.",
        },
        keep_replayable: {
          type: "boolean",
          default: false,
          description:
            "managed: keep Chroma's whole queue, from which every index can be built anew, for about 80 % more disk.",
        },
        anonymized_telemetry: {
          type: "boolean",
          default: false,
          description: "managed: whether the server may report usage, where its build can.",
        },
        host: { type: "string", minLength: 1, description: "server: name or address." },
        port: {
          type: "integer",
          minimum: 1,
          maximum: 65535,
          description: "server: default 8000, with ssl 443.",
        },
        ssl: { type: "boolean", description: "server: https. Default false." },
        headers: {
          type: "object",
          additionalProperties: {
            type: ["string", "object"],
            properties: {
              env: { type: "string", minLength: 1 },
              file: { type: "string", minLength: 1, "x-path": "file" },
            },
            additionalProperties: false,
            minProperties: 1,
            maxProperties: 1,
          },
          description: "server: sent with every request.",
        },
        tenant: { type: "string", minLength: 1 },
        database: { type: "string", minLength: 1 },
        token: {
          type: "object",
          properties: {
            env: { type: "string", minLength: 1 },
            file: { type: "string", minLength: 1, "x-path": "file" },
          },
          additionalProperties: false,
          minProperties: 1,
          maxProperties: 1,
          description: "server, cloud: a secret, as {env: NAME} or {file: PATH}.",
        },
      },
    },
  },
} as const;
