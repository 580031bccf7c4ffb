import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  type Condition,
  createRuleset,
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type PolicyEvent,
  type PolicyRule,
} from "@holdfast/policy";
import { conditions, events, ruleLists } from "../arbitrary-rules.ts";

const OPTIONS: EvaluateOptions = { now: 1e12, timezone: "UTC", seed: "s", counters: undefined };

const run = (rules: readonly PolicyRule[], event: PolicyEvent, explain = false): Evaluation =>
  evaluate(createRuleset(rules), event, { ...OPTIONS, explain });

function outcomeOf(condition: Condition, event: PolicyEvent): string | undefined {
  const rule: PolicyRule = { name: "r", conditions: [condition], actions: [{ type: "skip" }] };
  return run([rule], event, true).trace[0]?.conditions[0]?.outcome;
}

test("the same arguments give the same answer, and change nothing", () => {
  fc.assert(
    fc.property(ruleLists, events, (rules, event) => {
      const before = JSON.stringify([rules, event]);
      const ruleset = createRuleset(rules);
      const first = evaluate(ruleset, event, { ...OPTIONS, explain: true });
      expect(evaluate(ruleset, event, { ...OPTIONS, explain: true })).toEqual(first);
      expect(JSON.stringify([rules, event])).toBe(before);
    }),
  );
});

test("to explain is to decide: the index and the shorter way change no answer", () => {
  let decided = 0;
  fc.assert(
    fc.property(ruleLists, events, (rules, event) => {
      const { decision, effects } = run(rules, event);
      const explained = run(rules, event, true);
      expect({ decision, effects }).toEqual({
        decision: explained.decision,
        effects: explained.effects,
      });
      if (decision.kind === "abort" || effects.length > 0) decided += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(decided).toBeGreaterThan(100);
});

test("negating turns true and false round and leaves an error; twice is as none", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(conditions, events, (condition, event) => {
      const outcome = outcomeOf(condition, event);
      const not: Condition = {
        type: "composite_and",
        sub_conditions: [condition],
        negate: true,
      };
      const twice: Condition = { type: "composite_or", sub_conditions: [not], negate: true };
      const opposite = { true: "false", false: "true", error: "error" }[outcome ?? ""];
      expect(outcomeOf(not, event)).toBe(opposite);
      expect(outcomeOf(twice, event)).toBe(outcome);
      seen.add(outcome ?? "");
    }),
    { numRuns: 500 },
  );
  expect([...seen].toSorted()).toEqual(["error", "false", "true"]);
});

test("the order in which rules are written does not matter", () => {
  fc.assert(
    fc.property(
      ruleLists.chain((rules) =>
        fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length })),
      ),
      events,
      ([rules, shuffled], event) => {
        expect(run(shuffled, event, true)).toEqual(run(rules, event, true));
      },
    ),
  );
});

test("a rule that cannot match for its type is never asked for another", () => {
  fc.assert(
    fc.property(ruleLists, events, (rules, event) => {
      const ruleset = createRuleset(rules);
      if (ruleset.mayMatch(event.type)) return;
      const { decision, effects } = run(rules, event, true);
      expect({ decision, effects }).toEqual({ decision: { kind: "allow" }, effects: [] });
    }),
  );
});
