/** Rules that decide on what is remembered, recalled and forgotten. */
export const policies = {
  type: "object",
  additionalProperties: false,
  default: {},
  description: "Rules that decide on what is remembered, recalled and forgotten.",
  properties: {
    enabled: {
      type: "boolean",
      default: true,
      description: "false: no policy decides or acts; the files stay where they are.",
    },
    directory: {
      type: "string",
      minLength: 1,
      default: "policies",
      "x-path": "folder",
      description: "The folder of the policies: every .yaml, .yml and .json in it.",
    },
    timezone: {
      type: "string",
      minLength: 1,
      default: "UTC",
      description: "Of time_range conditions that name none; an IANA name, as Europe/Berlin.",
    },
    seed: {
      type: "string",
      default: "",
      description: "Draws probability conditions: another seed draws other events.",
    },
    record_events: {
      type: "integer",
      minimum: 0,
      maximum: 100000,
      default: 0,
      description:
        "How many of the last events, with their texts, are kept for policy replay; what is forgotten stays in them until it is purged, or they are dropped. 0 keeps none.",
    },
    webhooks: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        allow_addresses: {
          type: "array",
          items: { type: "string", minLength: 1 },
          default: [],
          description:
            "Addresses and networks that execute_webhook may reach though they are not public, as 127.0.0.1 or 10.0.0.0/8.",
        },
      },
    },
  },
} as const;
