import type { PolicyEvent } from "../policy-event.ts";
import type { Condition, PolicyRule, RuleScope } from "../rule.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { type FieldReader, fieldReader } from "./field.ts";

/** The event's field must have one of these values, or the rule does not match. */
interface Necessity {
  field: string;
  values: readonly unknown[];
}

interface FieldIndex {
  read: FieldReader;
  rules: Map<unknown, CompiledRule[]>;
}

/**
 * Finds the rules that an event could match without asking each: by a value that the rule cannot
 * do without, the rarest of them, else by scope.
 */
export class RuleIndex {
  readonly #fields: readonly FieldIndex[];
  readonly #others: ReadonlyMap<RuleScope, readonly CompiledRule[]>;
  readonly #types: ReadonlySet<unknown> | "any";

  constructor(rules: readonly CompiledRule[]) {
    const enabled = rules
      .filter((rule) => rule.enabled)
      .map((rule) => ({ rule, needs: necessities(rule.rule) }));
    const rarity = countUses(enabled.flatMap(({ needs }) => needs));
    const fields = new Map<string, FieldIndex>();
    const others = new Map<RuleScope, CompiledRule[]>();
    for (const { rule, needs } of enabled) {
      const [rarest] = needs.toSorted((a, b) => rarity(a) - rarity(b));
      if (rarest === undefined) push(others, rule.scope, rule);
      else {
        const { field, values } = rarest;
        const index = fields.get(field) ?? { read: fieldReader(field), rules: new Map() };
        fields.set(field, index);
        for (const value of new Set(values)) push(index.rules, value, rule);
      }
    }
    this.#fields = [...fields.values()];
    this.#others = others;
    this.#types = typesOf(enabled.map(({ needs }) => needs));
  }

  /** Every enabled rule that could match, and some that will not, in their order. */
  candidates(event: PolicyEvent): CompiledRule[] {
    const found = [...(this.#others.get("global") ?? [])];
    for (const [scope, rules] of this.#others)
      if (scope !== "global" && event.scope[scope] !== undefined) found.push(...rules);
    for (const { read, rules } of this.#fields) found.push(...(rules.get(read(event)) ?? []));
    return found.toSorted((a, b) => a.rank - b.rank);
  }

  /** False when no event of this type can match any rule. */
  mayMatch(type: string): boolean {
    return this.#types === "any" || this.#types.has(type);
  }
}

function necessities({ conditions, condition_operator: operator }: PolicyRule): Necessity[] {
  return operator === "OR" && conditions.length > 1 ? [] : conditions.flatMap(necessary);
}

function necessary(condition: Condition): Necessity[] {
  if (condition.negate === true) return [];
  if (condition.type === "equals") return [{ field: condition.field, values: [condition.value] }];
  if (condition.type === "in_list") return [{ field: condition.field, values: condition.values }];
  return condition.type === "composite_and" ? condition.sub_conditions.flatMap(necessary) : [];
}

function countUses(needs: readonly Necessity[]): (need: Necessity) => number {
  const uses = new Map<string, Map<unknown, number>>();
  for (const { field, values } of needs) {
    const counts = uses.get(field) ?? new Map<unknown, number>();
    uses.set(field, counts);
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return ({ field, values }) =>
    values.reduce<number>((sum, value) => sum + (uses.get(field)?.get(value) ?? 0), 0);
}

function typesOf(needsOfRules: readonly Necessity[][]): ReadonlySet<unknown> | "any" {
  const types = new Set<unknown>();
  for (const needs of needsOfRules) {
    const need = needs.find(({ field }) => field === "type");
    if (need === undefined) return "any";
    for (const value of need.values) types.add(value);
  }
  return types;
}

function push<K>(map: Map<K, CompiledRule[]>, key: K, rule: CompiledRule): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [rule]);
  else rules.push(rule);
}
