import type { Condition, PolicyRule } from "../rule.ts";
import type { Analysis } from "./analysis.ts";
import { all } from "./formula.ts";
import { matching, notMatching } from "./rule-formula.ts";

/** Pairs of rules that are compared at most. */
const PAIRS_MAX = 200_000;

/** Finds rules that do the same as an earlier one, for the same events. */
export function findDuplicates(analysis: Analysis): void {
  const first = new Map<string, PolicyRule>();
  for (const rule of analysis.rules) {
    const key = meaningOf(rule);
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, rule);
      continue;
    }
    const example = analysis.example(rule);
    // What never matches is told as that.
    if (example.answer === "impossible") continue;
    analysis.found({
      kind: "duplicate",
      rule: rule.name,
      other: earlier.name,
      message: `${earlier.name} does the same for the same events`,
      paths: [],
      ...(example.answer === "possible" ? { witness: example.witness } : {}),
    });
  }
}

/** Finds rules that never act, since whatever matches them was aborted by a rule before them. */
export function findShadowed(analysis: Analysis): void {
  const { rules } = analysis;
  const chained = new Set(
    rules.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.type === "chain_policy" ? action.parameters.policy : [])),
    ),
  );
  const aborting: PolicyRule[] = [];
  let pairs = 0;
  for (const rule of rules) {
    const example = analysis.example(rule);
    // A rule that another one leads to may have its turn before any abort.
    if (example.answer === "possible" && !chained.has(rule.name)) {
      pairs += aborting.length;
      if (pairs > PAIRS_MAX) {
        analysis.undecided("shadowed", rule.name, "there are too many rules to compare them all");
      } else {
        const near = aborting.filter((each) => analysis.matches(each, example.witness));
        findShadow(rule, near, analysis);
      }
    }
    if (surelyAborts(rule)) aborting.push(rule);
  }
}

function findShadow(rule: PolicyRule, before: readonly PolicyRule[], analysis: Analysis): void {
  const example = analysis.example(rule);
  if (example.answer !== "possible") return;
  const unknown: [other: string, why: string][] = [];
  for (const other of before) {
    const escape = analysis.solve(
      all([matching(rule), notMatching(other)]),
      (witness) => analysis.matches(rule, witness) && !analysis.matches(other, witness),
    );
    if (escape.answer === "unknown") unknown.push([other.name, escape.why]);
    if (escape.answer !== "impossible") continue;
    analysis.found({
      kind: "shadowed",
      rule: rule.name,
      other: other.name,
      message: `it never acts: whatever matches it, ${other.name} has aborted before`,
      paths: [],
      witness: example.witness,
    });
    return;
  }
  for (const [other, why] of unknown) analysis.undecided("shadowed", rule.name, why, other);
}

/** Whether a rule that matches aborts, whatever was counted and whatever else holds. */
function surelyAborts(rule: PolicyRule): boolean {
  if (rule.max_executions !== undefined || rule.cooldown_period !== undefined) return false;
  const sorted = rule.actions.toSorted((one, other) => (other.priority ?? 0) - (one.priority ?? 0));
  const abort = sorted.findIndex(({ type, condition }) => type === "abort" && !condition);
  return abort !== -1 && !sorted.slice(0, abort).some(({ type }) => type === "skip");
}

/** What a rule does and when, in a form that is the same for rules that only look different. */
function meaningOf(rule: PolicyRule): string {
  const { scope = "global", condition_operator = "AND", max_executions, cooldown_period } = rule;
  const operator = rule.conditions.length === 1 ? "AND" : condition_operator;
  const conditions = rule.conditions.map(canonical).toSorted();
  const actions = rule.actions.map((action) => inOrder(action));
  // A draw is made by the rule's name: two rules draw differently.
  const draws = JSON.stringify([rule.conditions, rule.actions]).includes('"type":"probability"');
  const limits = [max_executions, cooldown_period, draws ? rule.name : ""];
  return JSON.stringify([scope, operator, conditions, actions, limits]);
}

function canonical(condition: Condition): string {
  const { negate, ...rest } = condition;
  const subs = "sub_conditions" in rest ? rest.sub_conditions.map(canonical).toSorted() : undefined;
  const values = "values" in rest ? new Set(rest.values) : undefined;
  return JSON.stringify([
    negate === true,
    inOrder({
      ...rest,
      ...(subs === undefined ? {} : { sub_conditions: subs }),
      ...(values === undefined
        ? {}
        : { values: [...values].map((each) => JSON.stringify(each)).toSorted() }),
    }),
  ]);
}

/** The same data with its keys in order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([key, each]) => [key, inOrder(each)]);
}
