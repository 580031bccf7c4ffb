import type { FromSchema, JSONSchema } from "json-schema-to-ts";
import type { actionParameters, runOptions } from "./schema/action-schema.ts";
import type {
  betweenCondition,
  constantCondition,
  listCondition,
  orderCondition,
  probabilityCondition,
  rateCondition,
  regexCondition,
  timeCondition,
  valueCondition,
} from "./schema/condition-schema.ts";
import type { ruleFields } from "./schema/rule-schema.ts";

/** What a valid document states; absent is what has a default. */
type Stated<T extends JSONSchema> = FromSchema<T, { keepDefaultedPropertiesOptional: true }>;

/** A condition that looks at the event, the clock or a counter itself. */
export type LeafCondition =
  | Stated<typeof constantCondition>
  | Stated<typeof valueCondition>
  | Stated<typeof orderCondition>
  | Stated<typeof betweenCondition>
  | Stated<typeof listCondition>
  | Stated<typeof regexCondition>
  | Stated<typeof timeCondition>
  | Stated<typeof rateCondition>
  | Stated<typeof probabilityCondition>;

export interface CompositeCondition {
  type: "composite_and" | "composite_or";
  sub_conditions: Condition[];
  negate?: boolean;
}

export type Condition = LeafCondition | CompositeCondition;

export type ActionType = keyof typeof actionParameters;

/** The types that decide something themselves; all others become effects. */
export type DecidingType = "chain_policy" | "abort" | "skip";

export type ActionParameters = {
  [T in ActionType]: Stated<(typeof actionParameters)[T]>;
};

type ActionOf<T extends ActionType> = T extends ActionType
  ? {
      type: T;
      condition?: Condition;
      /** Among the rule's actions, higher first. Default 0. */
      priority?: number;
    } & (object extends ActionParameters[T]
      ? { parameters?: ActionParameters[T] }
      : { parameters: ActionParameters[T] }) &
      (T extends DecidingType
        ? object
        : { -readonly [K in keyof typeof runOptions]?: RunOption<K> })
  : never;

type RunOption<K extends keyof typeof runOptions> = FromSchema<(typeof runOptions)[K]>;

export type Action = ActionOf<ActionType>;

/** An action that does something, rather than decide. */
export type EffectAction = ActionOf<Exclude<ActionType, DecidingType>>;

/** One rule; what is absent has the schema's default. */
export interface PolicyRule extends Stated<typeof ruleFields> {
  name: string;
  conditions: Condition[];
  actions: Action[];
}

export type RuleScope = NonNullable<PolicyRule["scope"]>;
