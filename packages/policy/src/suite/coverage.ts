import type { Ruleset } from "../evaluate/ruleset.ts";
import type { ConditionTrace, RuleTrace } from "../evaluation.ts";
import type { Condition } from "../rule.ts";

export interface Coverage {
  /** Of the enabled rules, how many matched at least once. */
  rules: { total: number; covered: number; missing: readonly string[] };
  /** Of their conditions, how many were once true and once not. */
  conditions: { total: number; covered: number; missing: readonly UncoveredCondition[] };
  /** The smaller of the two shares, 0 to 100, cut to one decimal; 100 when there is nothing to cover. */
  percent: number;
}

export interface UncoveredCondition {
  rule: string;
  path: string;
  /** What was not seen. */
  never: "true" | "not true" | "asked";
}

interface Seen {
  rule: string;
  path: string;
  held: boolean;
  failed: boolean;
}

/** Notes which rules and conditions the tests have shown at work. */
export class CoverageMeter {
  readonly #matched = new Map<string, boolean>();
  readonly #conditions = new Map<string, Seen>();

  constructor(ruleset: Ruleset) {
    for (const rule of ruleset.rules) {
      if (rule.enabled === false) continue;
      this.#matched.set(rule.name, false);
      this.#expect(rule.name, "conditions", rule.conditions);
      for (const [index, { condition }] of rule.actions.entries())
        if (condition !== undefined)
          this.#expectOne(rule.name, `actions[${index}].condition`, condition);
    }
  }

  /** Takes in a trace that was made with `explain`. */
  see(trace: readonly RuleTrace[]): void {
    for (const { rule, outcome, conditions, actions } of trace) {
      if (outcome === "matched" && this.#matched.has(rule)) this.#matched.set(rule, true);
      for (const condition of conditions) this.#seeOne(rule, condition);
      for (const { condition } of actions)
        if (condition !== undefined) this.#seeOne(rule, condition);
    }
  }

  get coverage(): Coverage {
    const missingRules = [...this.#matched].filter(([, matched]) => !matched).map(([name]) => name);
    const missing = [...this.#conditions.values()].flatMap(({ held, failed, rule, path }) =>
      held && failed ? [] : [{ rule, path, never: neverOf(held, failed) }],
    );
    const rules = share(this.#matched.size, missingRules);
    const conditions = share(this.#conditions.size, missing);
    const percent = Math.min(...[rules, conditions].map(percentOf));
    return { rules, conditions, percent };
  }

  #expect(rule: string, path: string, conditions: readonly Condition[]): void {
    for (const [index, each] of conditions.entries())
      this.#expectOne(rule, `${path}[${index}]`, each);
  }

  /** Sub-conditions count, not what joins them; what is always so cannot be otherwise. */
  #expectOne(rule: string, path: string, condition: Condition): void {
    if ("sub_conditions" in condition)
      return this.#expect(rule, `${path}.sub_conditions`, condition.sub_conditions);
    if (condition.type === "always" || condition.type === "never") return;
    this.#conditions.set(`${rule}\0${path}`, { rule, path, held: false, failed: false });
  }

  #seeOne(rule: string, { path, outcome, sub_conditions: subs = [] }: ConditionTrace): void {
    for (const each of subs) this.#seeOne(rule, each);
    const seen = this.#conditions.get(`${rule}\0${path}`);
    if (seen === undefined || outcome === "not-asked") return;
    if (outcome === "true") seen.held = true;
    else seen.failed = true;
  }
}

function neverOf(held: boolean, failed: boolean): UncoveredCondition["never"] {
  if (held) return "not true";
  return failed ? "true" : "asked";
}

function share<T>(total: number, missing: T[]): { total: number; covered: number; missing: T[] } {
  return { total, covered: total - missing.length, missing };
}

const percentOf = ({ total, covered }: { total: number; covered: number }): number =>
  total === 0 ? 100 : Math.floor((covered / total) * 1_000) / 10;
