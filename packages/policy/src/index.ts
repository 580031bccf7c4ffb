export type { CountersView } from "./counters/counters.ts";
export { evaluate } from "./evaluate/evaluate.ts";
export { createRuleset, type Ruleset } from "./evaluate/ruleset.ts";
export type {
  ActionTrace,
  BlockedBy,
  Claim,
  ConditionTrace,
  Decision,
  Effect,
  EvaluateOptions,
  Evaluation,
  RuleTrace,
} from "./evaluation.ts";
export { PolicyError, type PolicyErrorCode } from "./policy-error.ts";
export type { PolicyEvent, PolicyScope } from "./policy-event.ts";
export type {
  Action,
  ActionParameters,
  ActionType,
  CompositeCondition,
  Condition,
  EffectAction,
  LeafCondition,
  PolicyRule,
  RuleScope,
} from "./rule.ts";
export { policySchema } from "./schema/policy-schema.ts";
