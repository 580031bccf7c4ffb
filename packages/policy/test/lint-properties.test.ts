import { expect, test } from "@jest/globals";
import {
  createRuleset,
  evaluate,
  type Evaluation,
  type LintFinding,
  lintRules,
  type PolicyEvent,
  type PolicyRule,
  type Ruleset,
} from "@holdfast/policy";
import * as fc from "fast-check";
import { events, ruleLists } from "./arbitrary-rules.ts";

const OPTIONS = { timezone: "UTC", seed: "s" };

test("every witness shows the evaluator what its finding claims", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(ruleLists, (rules) => {
      const { findings } = lintRules(rules, OPTIONS);
      for (const { kind } of findings) seen.add(kind);
      expect(findings.filter((finding) => !isShown(finding, rules))).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
  // The rules drawn were such that each kind was put to the test.
  expect([...seen].toSorted()).toEqual([
    "always-true",
    "contradictory",
    "duplicate",
    "shadowed",
    "unsatisfiable",
  ]);
});

test("no event is an exception to what lint says of all events", () => {
  const samples = fc.array(events, { minLength: 40, maxLength: 40 });
  const times = fc.array(fc.nat(2_000_000_000_000), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(ruleLists, samples, times, (rules, sample, instants) => {
      const { findings } = lintRules(rules, OPTIONS);
      const exceptions = findings.flatMap((finding) => {
        const ruleset = createRuleset(
          finding.kind === "shadowed" ? rules : rules.filter(({ name }) => name === finding.rule),
        );
        return instants.flatMap((now) =>
          sample.filter((event) => isException(finding, ruleset, event, now)),
        );
      });
      expect(exceptions).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("what lint does not call unsatisfiable, it has an event for, or says that it does not know", () => {
  let [decided, unknown] = [0, 0];
  fc.assert(
    fc.property(ruleLists, (rules) => {
      const report = lintRules(rules, OPTIONS);
      unknown += report.unknown.filter(({ kind }) => kind === "unsatisfiable").length;
      decided += rules.length;
    }),
    { numRuns: 300 },
  );
  // It is of use only if it knows mostly. Of these rules it does not know 6 % or so.
  expect(unknown / decided).toBeLessThan(0.15);
});

function isShown(
  { kind, rule, other, witness }: LintFinding,
  rules: readonly PolicyRule[],
): boolean {
  // Of the others, there is always an event.
  if (witness === undefined) return kind === "unsatisfiable" || kind === "duplicate";
  const { event, ...options } = witness;
  const run = (list: readonly PolicyRule[]): Evaluation =>
    evaluate(createRuleset(list), event, { ...options, counters: undefined, explain: true });
  const matches = (name: string | undefined): boolean =>
    run(rules.filter((each) => each.name === name)).trace[0]?.outcome === "matched";
  const { decision, trace, effects } = run(rules);
  const acting = effects.map((effect) => effect.rule);
  if (kind === "unsatisfiable") return !matches(rule);
  if (kind === "always-true") return matches(rule);
  if (kind === "duplicate") return matches(rule) && matches(other);
  if (kind === "contradictory") return acting.includes(rule) && acting.includes(other ?? rule);
  const blocked = trace.find((each) => each.rule === rule)?.blockedBy === "abort";
  return decision.kind === "abort" && blocked && matches(rule) && matches(other);
}

function isException(
  finding: LintFinding,
  ruleset: Ruleset,
  event: PolicyEvent,
  now: number,
): boolean {
  const options = { ...OPTIONS, now, counters: undefined, explain: true };
  const { trace } = evaluate(ruleset, event, options);
  const line = trace.find(({ rule }) => rule === finding.rule);
  const matched = line?.outcome === "matched";
  if (finding.kind === "always-true") return !matched && line?.blockedBy !== "scope";
  return matched && (finding.kind === "unsatisfiable" || finding.kind === "shadowed");
}
