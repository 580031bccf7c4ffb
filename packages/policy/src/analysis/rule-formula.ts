import type { PolicyRule } from "../rule.ts";
import { all, any, type Allowed, demandOf, type Formula, NOT_TRUE, TRUE } from "./formula.ts";

/** What must hold for a rule to match, its limits aside. */
export function matching(rule: PolicyRule): Formula {
  return all([...scoped(rule, TRUE), conditionsOf(rule, TRUE)]);
}

/** What must hold for a rule not to match: it is false, an error, or not for this event. */
export function notMatching(rule: PolicyRule): Formula {
  return any([...scoped(rule, NOT_TRUE), conditionsOf(rule, NOT_TRUE)]);
}

/** What must hold for an event to be in a rule's scope and yet not match it. */
export function inScopeNotMatching(rule: PolicyRule): Formula {
  return all([...scoped(rule, TRUE), conditionsOf(rule, NOT_TRUE)]);
}

function conditionsOf(rule: PolicyRule, allowed: Allowed): Formula {
  return demandOf(rule.condition_operator ?? "AND", rule.conditions, rule.name, allowed);
}

/** A rule of a narrower scope than global is for events that name that part of theirs. */
function scoped(rule: PolicyRule, allowed: Allowed): Formula[] {
  const { scope = "global" } = rule;
  if (scope === "global") return [];
  const condition = { type: "scope_named", field: `scope.${scope}` } as const;
  return [{ kind: "literal", literal: { rule: rule.name, condition, allowed } }];
}
