import { evaluate } from "../evaluate/evaluate.ts";
import { createRuleset, type Ruleset } from "../evaluate/ruleset.ts";
import type { PolicyRule } from "../rule.ts";
import type { Formula } from "./formula.ts";
import type { LintFinding, LintKind, LintReport, LintUnknown } from "./lint-report.ts";
import { matching } from "./rule-formula.ts";
import { type Solution, solve } from "./solve.ts";
import type { Witness } from "./witness.ts";

export interface LintOptions {
  /** IANA name, for `time_range` conditions that name none. Default UTC. */
  timezone?: string;
  /** Default empty. */
  seed?: string;
}

/** Noon of a winter's day, so that witnesses are the same on every day. */
const NOW = Date.UTC(2026, 0, 15, 12);

/** What the checks share: the rules in force, an example event of each, and what was found. */
export class Analysis {
  /** Those that are enabled, in the order in which they decide. */
  readonly rules: readonly PolicyRule[];
  readonly #whole: Ruleset;
  readonly #alone = new Map<string, Ruleset>();
  readonly #examples = new Map<string, Solution>();
  readonly #options: Required<LintOptions>;
  readonly #findings: LintFinding[] = [];
  readonly #unknown: LintUnknown[] = [];

  /** @throws PolicyError `POLICY_INVALID`. */
  constructor(rules: readonly PolicyRule[], options: LintOptions) {
    this.#whole = createRuleset(rules);
    this.rules = this.#whole.rules.filter(({ enabled }) => enabled !== false);
    this.#options = { timezone: "UTC", seed: "", ...options };
    for (const rule of this.rules)
      this.#alone.set(rule.name, createRuleset([withoutActions(rule)]));
    for (const rule of this.rules)
      this.#examples.set(
        rule.name,
        this.solve(matching(rule), (witness) => this.matches(rule, witness)),
      );
  }

  get report(): LintReport {
    return { findings: this.#findings, unknown: this.#unknown };
  }

  found(finding: LintFinding): void {
    this.#findings.push(finding);
  }

  undecided(kind: LintKind, rule: string, why: string, other?: string): void {
    this.#unknown.push({ kind, rule, ...(other === undefined ? {} : { other }), why });
  }

  /** An event that the rule matches, if there is one. */
  example(rule: PolicyRule): Solution {
    return this.#examples.get(rule.name) ?? { answer: "impossible" };
  }

  /** An event for which a formula holds and which `verify` accepts. */
  solve(formula: Formula, verify: (witness: Witness) => boolean): Solution {
    return solve(formula, { ...this.#options, now: NOW, verify });
  }

  /** Whether the evaluator finds that the rule, by itself, matches. */
  matches(rule: PolicyRule, witness: Witness): boolean {
    const alone = this.#alone.get(rule.name);
    if (alone === undefined) return false;
    const { event, ...options } = witness;
    return evaluate(alone, event, { ...options, counters: undefined }).effects.length > 0;
  }

  /** What all rules together make of it: the actions done, as `rule/index`, and whether aborted. */
  effectsOf({ event, ...options }: Witness): { done: ReadonlySet<string>; aborted: boolean } {
    const { effects, decision } = evaluate(this.#whole, event, { ...options, counters: undefined });
    const done = new Set(effects.map(({ rule, index }) => `${rule}/${index}`));
    return { done, aborted: decision.kind === "abort" };
  }
}

/** A rule with the same conditions that tells by an effect when they hold. */
function withoutActions({ name, scope, conditions, condition_operator }: PolicyRule): PolicyRule {
  return {
    name,
    conditions,
    ...(scope === undefined ? {} : { scope }),
    ...(condition_operator === undefined ? {} : { condition_operator }),
    actions: [{ type: "log_event" }],
  };
}
