import type { Outcome } from "../evaluation.ts";
import type { Condition, LeafCondition } from "../rule.ts";

/** Which outcomes of a condition would do. */
export type Allowed = ReadonlySet<Outcome>;

/** One condition without its `negate`, and what it may come to. */
export interface Literal {
  /** Whose condition it is: what is drawn by chance is drawn by the rule's name. */
  rule: string;
  condition: LeafCondition | PresenceCondition;
  allowed: Allowed;
}

/** Whether an event names a part of its scope, which a rule of that scope needs. */
export interface PresenceCondition {
  type: "scope_named";
  field: `scope.${string}`;
}

export type Formula =
  | { kind: "literal"; literal: Literal }
  | { kind: "all" | "any"; parts: readonly Formula[] };

/** Literals that must hold together. */
export type Conjunction = readonly Literal[];

export const TRUE: Allowed = new Set<Outcome>(["true"]);
export const NOT_TRUE: Allowed = new Set<Outcome>(["false", "error"]);
const EVERY = 3;

export const all = (parts: readonly Formula[]): Formula => ({ kind: "all", parts });
export const any = (parts: readonly Formula[]): Formula => ({ kind: "any", parts });

/** What must hold of its leaves for a condition to come to one of the allowed outcomes. */
export function demand(condition: Condition, rule: string, allowed: Allowed): Formula {
  const plain = condition.negate === true ? inverted(allowed) : allowed;
  if (condition.type !== "composite_and" && condition.type !== "composite_or") {
    const { negate: _, ...leaf } = condition;
    return { kind: "literal", literal: { rule, condition: leaf as LeafCondition, allowed: plain } };
  }
  const operator = condition.type === "composite_and" ? "AND" : "OR";
  return demandOf(operator, condition.sub_conditions, rule, plain);
}

/**
 * The same for several conditions joined. Kleene's logic: one that is false decides AND whatever
 * else fails, one that is true decides OR; else an error makes the whole an error.
 */
export function demandOf(
  operator: "AND" | "OR",
  conditions: readonly Condition[],
  rule: string,
  allowed: Allowed,
): Formula {
  if (allowed.size === EVERY) return all([]);
  const [neutral, deciding]: [Outcome, Outcome] =
    operator === "AND" ? ["true", "false"] : ["false", "true"];
  const each = (outcomes: Outcome[]): Formula[] =>
    conditions.map((condition) => demand(condition, rule, new Set(outcomes)));
  const ways: Formula[] = [];
  if (allowed.has(neutral) && allowed.has("error")) return all(each([neutral, "error"]));
  if (allowed.has(neutral)) ways.push(all(each([neutral])));
  if (allowed.has("error") && allowed.has(deciding)) return any(each([deciding, "error"]));
  if (allowed.has("error")) ways.push(all([...each([neutral, "error"]), any(each(["error"]))]));
  if (allowed.has(deciding)) ways.push(any(each([deciding])));
  return any(ways);
}

/**
 * The ways in which a formula can hold, each a list of literals; undefined when there are more than
 * `waysMax`.
 */
export function waysOf(formula: Formula, waysMax: number): Conjunction[] | undefined {
  if (formula.kind === "literal") return [[formula.literal]];
  let ways: Conjunction[] = formula.kind === "all" ? [[]] : [];
  for (const part of formula.parts) {
    const more = waysOf(part, waysMax);
    if (more === undefined) return undefined;
    if (formula.kind === "any") ways.push(...more);
    else if (ways.length * more.length > waysMax) return undefined;
    else ways = ways.flatMap((way) => more.map((other) => [...way, ...other]));
    if (ways.length > waysMax) return undefined;
  }
  return ways;
}

function inverted(allowed: Allowed): Allowed {
  const turned: Record<Outcome, Outcome> = { true: "false", false: "true", error: "error" };
  return new Set([...allowed].map((outcome) => turned[outcome]));
}
