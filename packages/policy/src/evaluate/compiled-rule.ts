import type { PolicyEvent } from "../policy-event.ts";
import type { Action, PolicyRule, RuleScope } from "../rule.ts";
import {
  type CompiledCondition,
  compileCondition,
  compileJunction,
  isCounted,
  type Junction,
} from "./condition.ts";

export interface CompiledAction {
  readonly action: Action;
  /** Its place as written, from 0. */
  readonly index: number;
  readonly condition: CompiledCondition | undefined;
}

/** A rule that is ready to be asked. */
export interface CompiledRule {
  readonly rule: PolicyRule;
  readonly scope: RuleScope;
  readonly enabled: boolean;
  /** Its place in the order of all rules, from 0. */
  rank: number;
  readonly conditions: Junction;
  /** In the order in which they are done. */
  readonly actions: readonly CompiledAction[];
}

/** @throws PatternFault for a pattern that does not compile. */
export function compileRule(rule: PolicyRule): CompiledRule {
  return {
    rule,
    scope: rule.scope ?? "global",
    enabled: rule.enabled ?? true,
    rank: 0,
    conditions: compileJunction(rule.conditions, rule.condition_operator ?? "AND", "conditions"),
    actions: rule.actions
      .map((action, index) => ({
        action,
        index,
        condition:
          action.condition && compileCondition(action.condition, `actions[${index}].condition`),
      }))
      .toSorted((a, b) => (b.action.priority ?? 0) - (a.action.priority ?? 0)),
  };
}

const NARROWEST_FIRST: readonly RuleScope[] = [
  "session",
  "user",
  "task",
  "workflow",
  "agent",
  "global",
];

/** Higher priority, then narrower scope, then name: never the order in which they were written. */
export function byOrder(a: CompiledRule, b: CompiledRule): number {
  return (
    (b.rule.priority ?? 0) - (a.rule.priority ?? 0) ||
    NARROWEST_FIRST.indexOf(a.scope) - NARROWEST_FIRST.indexOf(b.scope) ||
    (a.rule.name < b.rule.name ? -1 : 1)
  );
}

/** Whose count the rule's limits look at; undefined when the event is outside of its scope. */
export function subjectOf({ scope }: CompiledRule, event: PolicyEvent): string | undefined {
  return scope === "global" ? "" : event.scope[scope];
}

/** Whether the rule has a limit that must be counted. */
export function isCountedRule({ rule, enabled, conditions, actions }: CompiledRule): boolean {
  if (!enabled) return false;
  if (rule.max_executions !== undefined || rule.cooldown_period !== undefined) return true;
  return isCounted(conditions) || actions.some(({ condition }) => condition?.counted === true);
}

/** The names of the rules that it chains to. */
export function chainsOf(rule: PolicyRule): string[] {
  return rule.actions.flatMap((action) =>
    action.type === "chain_policy" ? [action.parameters.policy] : [],
  );
}
