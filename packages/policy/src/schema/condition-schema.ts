// oxlint-disable typescript/no-unnecessary-type-assertion -- isolatedDeclarations wants types written

export const field = {
  type: "string",
  minLength: 1,
  maxLength: 255,
  description:
    "What to look at, in dot notation: text, tags, metadata.kind, scope.user. A name that is no part of an event is looked up in its context.",
} as const;

export const negate = {
  type: "boolean",
  default: false,
  description: "Turns true and false round; an error stays an error.",
} as const;

export const scalar = {
  type: ["string", "number", "boolean"],
  description: "Compared with its type: 1 is not '1'.",
} as const;

export const clockTime = {
  type: "string",
  pattern: "^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$",
  description: "a time of day as 'HH:MM', in quotes",
} as const;

/** The types that need nothing but a name. */
export const constantCondition = {
  type: "object",
  required: ["type"],
  additionalProperties: false,
  properties: { type: { enum: ["always", "never"] }, negate: negate as typeof negate },
} as const;

export const valueCondition = {
  type: "object",
  required: ["type", "field", "value"],
  additionalProperties: false,
  properties: {
    type: { enum: ["equals", "not_equals", "contains", "not_contains"] },
    field: field as typeof field,
    value: scalar as typeof scalar,
    negate: negate as typeof negate,
  },
} as const;

export const orderCondition = {
  type: "object",
  required: ["type", "field", "value"],
  additionalProperties: false,
  properties: {
    type: { enum: ["greater_than", "less_than"] },
    field: field as typeof field,
    value: { type: "number" },
    negate: negate as typeof negate,
  },
} as const;

export const betweenCondition = {
  type: "object",
  required: ["type", "field", "min_value", "max_value"],
  additionalProperties: false,
  properties: {
    type: { enum: ["between"] },
    field: field as typeof field,
    min_value: { type: "number", description: "Included." },
    max_value: { type: "number", description: "Included." },
    negate: negate as typeof negate,
  },
} as const;

export const listCondition = {
  type: "object",
  required: ["type", "field", "values"],
  additionalProperties: false,
  properties: {
    type: { enum: ["in_list", "not_in_list"] },
    field: field as typeof field,
    values: { type: "array", items: scalar as typeof scalar, minItems: 1, maxItems: 10_000 },
    negate: negate as typeof negate,
  },
} as const;

export const regexCondition = {
  type: "object",
  required: ["type", "field", "regex_pattern"],
  additionalProperties: false,
  properties: {
    type: { enum: ["matches_regex"] },
    field: field as typeof field,
    regex_pattern: {
      type: "string",
      minLength: 1,
      maxLength: 1000,
      description:
        "RE2 syntax, found anywhere in the text: no lookaround, no backreferences, so that it always ends.",
    },
    negate: negate as typeof negate,
  },
} as const;

export const timeCondition = {
  type: "object",
  required: ["type", "start_time", "end_time"],
  additionalProperties: false,
  properties: {
    type: { enum: ["time_range"] },
    start_time: clockTime as typeof clockTime,
    end_time: clockTime as typeof clockTime,
    timezone: {
      type: "string",
      minLength: 1,
      maxLength: 64,
      description:
        "An IANA name, as Europe/Berlin. Default: policies.timezone of the configuration.",
    },
    negate: negate as typeof negate,
  },
} as const;

export const rateCondition = {
  type: "object",
  required: ["type", "rate_limit", "time_window"],
  additionalProperties: false,
  properties: {
    type: { enum: ["rate_limit"] },
    rate_limit: { type: "integer", minimum: 1, maximum: 100_000, description: "Events at most." },
    time_window: {
      type: "number",
      minimum: 0.001,
      maximum: 2_678_400,
      description: "In so many seconds.",
    },
    negate: negate as typeof negate,
  },
} as const;

export const probabilityCondition = {
  type: "object",
  required: ["type", "probability"],
  additionalProperties: false,
  properties: {
    type: { enum: ["probability"] },
    probability: {
      type: "number",
      minimum: 0,
      maximum: 1,
      description: "Drawn by the rule's name and the event's id, so a replay agrees.",
    },
    negate: negate as typeof negate,
  },
} as const;

/** Written apart from its type: json-schema-to-ts cannot follow a reference to itself. */
export const compositeCondition = {
  type: "object",
  required: ["type", "sub_conditions"],
  additionalProperties: false,
  properties: {
    type: { enum: ["composite_and", "composite_or"] },
    sub_conditions: {
      type: "array",
      items: { $ref: "#/definitions/condition" },
      minItems: 1,
      maxItems: 100,
    },
    negate: negate as typeof negate,
  },
} as const;
