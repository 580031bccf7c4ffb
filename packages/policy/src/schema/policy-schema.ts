import type { Schema } from "@holdfast/document";
import { actionParameters, runOptions } from "./action-schema.ts";
import {
  betweenCondition,
  compositeCondition,
  constantCondition,
  listCondition,
  orderCondition,
  probabilityCondition,
  rateCondition,
  regexCondition,
  timeCondition,
  valueCondition,
} from "./condition-schema.ts";
import { ruleFields } from "./rule-schema.ts";

const condition: Schema = {
  type: "object",
  oneOf: [
    constantCondition,
    valueCondition,
    orderCondition,
    betweenCondition,
    listCondition,
    regexCondition,
    timeCondition,
    rateCondition,
    probabilityCondition,
    compositeCondition,
  ],
};

/** These decide; they are no work that could be retried or run beside. */
const DECIDING: ReadonlySet<string> = new Set(["chain_policy", "abort", "skip"]);

const action: Schema = {
  type: "object",
  oneOf: Object.entries(actionParameters).map(([type, parameters]) => ({
    type: "object",
    additionalProperties: false,
    required: ["type", ...("required" in parameters ? ["parameters"] : [])],
    properties: {
      type: { enum: [type] },
      parameters,
      condition: { $ref: "#/definitions/condition" },
      priority: {
        type: "integer",
        minimum: 0,
        maximum: 1000,
        default: 0,
        description: "Among the rule's actions: higher ones first.",
      },
      ...(DECIDING.has(type) ? {} : runOptions),
    },
  })),
};

/** In a map of rules the key is the name. */
const ruleOfMap: Schema = {
  ...ruleFields,
  required: ["conditions", "actions"],
  properties: {
    ...ruleFields.properties,
    conditions: {
      type: "array",
      items: { $ref: "#/definitions/condition" },
      minItems: 1,
      maxItems: 100,
    },
    actions: { type: "array", items: { $ref: "#/definitions/action" }, minItems: 1, maxItems: 100 },
  },
};

const rule: Schema = { ...ruleOfMap, required: ["name", "conditions", "actions"] };

const rules: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["rules"],
  properties: {
    rules: {
      type: ["object", "array"],
      additionalProperties: { $ref: "#/definitions/rule_of_map" },
      items: { $ref: "#/definitions/rule" },
    },
  },
};

/**
 * A policy document, JSON Schema draft-07: `rules:` as a map by name or as a list, or one rule.
 * A condition or an action carries exactly the fields that its type uses.
 */
export const policySchema: Schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  $id: "https://holdfast-memory.github.io/schema/policy/v1.json",
  title: "Holdfast policy",
  type: "object",
  oneOf: [{ $ref: "#/definitions/rules" }, { $ref: "#/definitions/rule" }],
  definitions: { condition, action, rule, rule_of_map: ruleOfMap, rules },
};
