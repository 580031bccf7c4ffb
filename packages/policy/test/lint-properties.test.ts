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
import fc from "fast-check";
import { events, ruleLists } from "./arbitrary-rules.ts";

const OPTIONS = { timezone: "UTC", seed: "s" };

test("every witness shows the evaluator what its finding claims", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(ruleLists, (rules) => {
      const { findings } = lintRules(rules, OPTIONS);
      for (const finding of findings) {
        seen.set(finding.kind, (seen.get(finding.kind) ?? 0) + 1);
        if (finding.witness !== undefined) expectShown(finding, rules);
        else expect(["unsatisfiable", "duplicate"]).toContain(finding.kind);
      }
    }),
    { numRuns: 1_500 },
  );
  // The rules drawn were such that each kind was put to the test.
  expect([...seen.keys()].toSorted()).toEqual([
    "always-true",
    "contradictory",
    "duplicate",
    "shadowed",
    "unsatisfiable",
  ]);
});

test("no event is an exception to what lint says of all events", () => {
  fc.assert(
    fc.property(
      ruleLists,
      fc.array(events, { minLength: 40, maxLength: 40 }),
      fc.array(fc.nat(2_000_000_000_000), { minLength: 3, maxLength: 3 }),
      (rules, sample, times) => {
        const { findings } = lintRules(rules, OPTIONS);
        for (const finding of findings) {
          const isAlone = finding.kind !== "shadowed";
          const asked = isAlone ? rules.filter(({ name }) => name === finding.rule) : rules;
          const ruleset = createRuleset(asked);
          for (const event of sample)
            for (const now of times) expectNoException(finding, ruleset, event, now);
        }
      },
    ),
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
  // It is of use only if it knows mostly.
  expect(unknown / decided).toBeLessThan(0.1);
});

function expectShown(finding: LintFinding, rules: readonly PolicyRule[]): void {
  const { event, ...options } = finding.witness ?? never();
  const run = (list: readonly PolicyRule[]): Evaluation =>
    evaluate(createRuleset(list), event, { ...options, counters: undefined, explain: true });
  const alone = (name: string | undefined): string | undefined =>
    run(rules.filter((rule) => rule.name === name)).trace[0]?.outcome;
  switch (finding.kind) {
    case "unsatisfiable":
      expect(alone(finding.rule)).not.toBe("matched");
      break;
    case "always-true":
      expect(alone(finding.rule)).toBe("matched");
      break;
    case "duplicate":
      expect([alone(finding.rule), alone(finding.other)]).toEqual(["matched", "matched"]);
      break;
    case "shadowed": {
      const { decision, trace } = run(rules);
      expect(decision.kind).toBe("abort");
      expect(alone(finding.rule)).toBe("matched");
      expect(trace.find(({ rule }) => rule === finding.rule)).toMatchObject({ blockedBy: "abort" });
      break;
    }
    case "contradictory": {
      const names = run(rules).effects.map(({ rule }) => rule);
      expect(names).toContain(finding.rule);
      expect(names).toContain(finding.other ?? finding.rule);
    }
  }
}

function expectNoException(
  finding: LintFinding,
  ruleset: Ruleset,
  event: PolicyEvent,
  now: number,
): void {
  const options = { ...OPTIONS, now, counters: undefined, explain: true };
  const { trace } = evaluate(ruleset, event, options);
  const { outcome, blockedBy } = trace.find(({ rule }) => rule === finding.rule) ?? never();
  if (finding.kind === "unsatisfiable" || finding.kind === "shadowed")
    expect(outcome).not.toBe("matched");
  if (finding.kind === "always-true" && blockedBy !== "scope") expect(outcome).toBe("matched");
}

function never(): never {
  throw new Error("It must be there");
}
