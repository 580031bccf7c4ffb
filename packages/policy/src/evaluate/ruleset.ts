import { ruleFaults } from "../check/rule-faults.ts";
import { rulesetFaults } from "../check/ruleset-faults.ts";
import { PolicyError } from "../policy-error.ts";
import type { PolicyEvent } from "../policy-event.ts";
import type { PolicyRule } from "../rule.ts";
import { byOrder, type CompiledRule, compileRule, isCountedRule } from "./compiled-rule.ts";
import { RuleIndex } from "./rule-index.ts";

/** Rules that are checked, ordered and indexed. Immutable. */
export class Ruleset {
  /** In the order in which they decide. */
  readonly rules: readonly PolicyRule[];
  /** Whether any enabled rule has a limit that must be counted. */
  readonly counts: boolean;
  readonly #ordered: readonly CompiledRule[];
  readonly #byName: ReadonlyMap<string, CompiledRule>;
  readonly #index: RuleIndex;

  /** Made by {@link createRuleset}. */
  constructor(rules: readonly PolicyRule[]) {
    this.#ordered = rules.map(compileRule).toSorted(byOrder);
    for (const [rank, rule] of this.#ordered.entries()) rule.rank = rank;
    this.rules = this.#ordered.map(({ rule }) => rule);
    this.counts = this.#ordered.some(isCountedRule);
    this.#byName = new Map(this.#ordered.map((rule) => [rule.rule.name, rule]));
    this.#index = new RuleIndex(this.#ordered);
  }

  /** False when no enabled rule can match an event of this type: it need not even be made. */
  mayMatch(type: string): boolean {
    return this.#index.mayMatch(type);
  }

  /** For the evaluator: the rules that are worth asking, in their order. */
  candidates(event: PolicyEvent): readonly CompiledRule[] {
    return this.#index.candidates(event);
  }

  /** For the evaluator: all rules, in their order. */
  get all(): readonly CompiledRule[] {
    return this.#ordered;
  }

  /** For the evaluator: the rule of that name. */
  named(name: string): CompiledRule | undefined {
    return this.#byName.get(name);
  }
}

/**
 * Prepares rules for evaluation. Costly once, so keep it.
 * @throws PolicyError `POLICY_INVALID`, with everything that is wrong.
 */
export function createRuleset(rules: readonly PolicyRule[]): Ruleset {
  const faults = [
    ...rules.flatMap((rule) => ruleFaults(rule).map((fault) => ({ name: rule.name, fault }))),
    ...rulesetFaults(rules).map(({ rule, fault }) => ({ name: rules[rule]?.name, fault })),
  ].filter(({ fault }) => fault.severity === "error");
  if (faults.length === 0) return new Ruleset(rules);
  const lines = faults.map(
    ({ name, fault }) => `${name}: ${fault.path}: ${fault.message} (expected ${fault.expected})`,
  );
  throw new PolicyError(lines.join("\n"), {
    code: "POLICY_INVALID",
    hint: "Correct these rules; none of them is in force.",
  });
}
