import { describe, expect, test } from "@jest/globals";
import {
  type Action,
  createRuleset,
  evaluate,
  type Evaluation,
  type PolicyEvent,
  type PolicyRule,
  type RuleScope,
} from "@holdfast/policy";

const EVENT: PolicyEvent = { id: "e", type: "memory.add", at: 0, scope: {}, text: "tea" };
const ALL_SCOPES = { session: "s", user: "u", task: "t", workflow: "w", agent: "a", project: "p" };

function run(rules: PolicyRule[], event: PolicyEvent = EVENT, explain = false): Evaluation {
  const options = { now: 0, timezone: "UTC", seed: "", counters: undefined, explain };
  return evaluate(createRuleset(rules), event, options);
}

const rule = (name: string, actions: Action[], more: Partial<PolicyRule> = {}): PolicyRule => ({
  name,
  conditions: [{ type: "always" }],
  actions,
  ...more,
});
const tag = (name: string): Action => ({ type: "add_tag", parameters: { tag: name } });
const chain = (policy: string): Action => ({ type: "chain_policy", parameters: { policy } });

const done = ({ effects }: Evaluation): unknown[] =>
  effects.map(({ action }) => (action.type === "add_tag" ? action.parameters.tag : action.type));

describe("order", () => {
  test("higher priority, then narrower scope, then name, however they are written", () => {
    const scoped = (scope: RuleScope): PolicyRule => rule(scope, [tag(scope)], { scope });
    const rules = [
      ...(["global", "agent", "workflow", "task", "user", "session"] as const).map(scoped),
      rule("b", [tag("b")]),
      rule("a", [tag("a")]),
      rule("first", [tag("first")], { priority: 9 }),
    ];
    const expected = ["first", "session", "user", "task", "workflow", "agent", "a", "b", "global"];
    const event = { ...EVENT, scope: ALL_SCOPES };
    expect(done(run(rules, event))).toEqual(expected);
    expect(done(run(rules.toReversed(), event))).toEqual(expected);
  });

  test("within a rule, higher priority, then as written", () => {
    const actions: Action[] = [tag("a"), { ...tag("b"), priority: 5 }, tag("c")];
    expect(done(run([rule("r", actions)]))).toEqual(["b", "a", "c"]);
  });

  test("a rule of a scope is for events that name one", () => {
    const rules = [rule("r", [tag("r")], { scope: "session" })];
    expect(run(rules).effects).toEqual([]);
    expect(run(rules, EVENT, true).trace).toMatchObject([
      { outcome: "blocked", blockedBy: "scope", why: "the event names no session" },
    ]);
    expect(done(run(rules, { ...EVENT, scope: { session: "s" } }))).toEqual(["r"]);
  });
});

describe("what ends what", () => {
  test("abort stops everything after it, and keeps what came before", () => {
    const rules = [
      rule("1", [tag("before"), { type: "abort", parameters: { reason: "no" } }, tag("never")], {
        priority: 2,
      }),
      rule("2", [tag("never")]),
    ];
    const evaluation = run(rules, EVENT, true);
    expect(evaluation.decision).toEqual({ kind: "abort", rule: "1", reason: "no" });
    expect(done(evaluation)).toEqual(["before"]);
    expect(evaluation.trace).toMatchObject([
      { rule: "1", outcome: "matched", actions: [{}, { why: "it has no condition (no)" }] },
      { rule: "2", outcome: "blocked", blockedBy: "abort", why: "1 aborted" },
    ]);
  });

  test("skip stops the rest of its rule only", () => {
    const rules = [rule("1", [tag("a"), { type: "skip" }, tag("never")]), rule("2", [tag("b")])];
    expect(done(run(rules))).toEqual(["a", "b"]);
  });

  test("an action's own condition leaves it out, and so does its error", () => {
    const when = (value: string | number): Action => ({
      ...tag(String(value)),
      condition: { type: "equals", field: "text", value },
    });
    const evaluation = run([rule("1", [when("tea"), when("coffee"), when(1)])], EVENT, true);
    expect(done(evaluation)).toEqual(["tea"]);
    expect(evaluation.trace[0]?.actions).toMatchObject([
      { selected: true, condition: { outcome: "true", path: "actions[0].condition" } },
      { selected: false, condition: { outcome: "false" } },
      { selected: false, why: "text is string, not number", condition: { outcome: "error" } },
    ]);
  });

  test("a rule whose conditions are an error does nothing, and says so without being asked", () => {
    const broken = rule("1", [{ type: "abort" }], {
      conditions: [{ type: "equals", field: "absent", value: 1, negate: true }],
    });
    const evaluation = run([broken]);
    expect(evaluation.decision).toEqual({ kind: "allow" });
    expect(evaluation.trace).toMatchObject([
      { rule: "1", outcome: "error", why: "absent is missing" },
    ]);
  });

  test("OR needs one, AND all", () => {
    const conditions: PolicyRule["conditions"] = [{ type: "never" }, { type: "always" }];
    const or = rule("1", [tag("or")], { conditions, condition_operator: "OR" });
    expect(done(run([or, rule("2", [tag("and")], { conditions })]))).toEqual(["or"]);
  });

  test("a disabled rule does nothing", () => {
    const rules = [rule("1", [tag("a")], { enabled: false })];
    expect(run(rules).effects).toEqual([]);
    expect(run(rules, EVENT, true).trace).toMatchObject([{ blockedBy: "disabled" }]);
  });
});

describe("chains", () => {
  const low = { priority: 0 };
  test("the other rule is asked there and then, and only once", () => {
    const rules = [
      rule("1", [tag("a"), chain("3"), tag("c")], { priority: 9 }),
      rule("2", [tag("d")], { priority: 5 }),
      rule("3", [tag("b")], low),
    ];
    const evaluation = run(rules, EVENT, true);
    expect(done(evaluation)).toEqual(["a", "b", "c", "d"]);
    expect(evaluation.trace.map(({ rule: name, chainedFrom }) => [name, chainedFrom])).toEqual([
      ["1", undefined],
      ["3", "1"],
      ["2", undefined],
    ]);
  });

  test("what does not match, or is not enabled, does nothing there either", () => {
    const rules = [
      rule("1", [chain("2"), chain("3"), tag("end")], { priority: 9 }),
      rule("2", [tag("no")], { enabled: false }),
      rule("3", [tag("no")], { conditions: [{ type: "equals", field: "type", value: "other" }] }),
    ];
    expect(done(run(rules))).toEqual(["end"]);
  });

  test("an abort in it ends the chain too", () => {
    const rules = [
      rule("1", [chain("2"), tag("never")], { priority: 9 }),
      rule("2", [{ type: "abort" }]),
    ];
    const evaluation = run(rules);
    expect(evaluation.decision).toMatchObject({ kind: "abort", rule: "2" });
    expect(done(evaluation)).toEqual([]);
  });

  const line = (length: number): PolicyRule[] =>
    Array.from({ length }, (_, index) =>
      rule(`r${index}`, index === length - 1 ? [tag("end")] : [chain(`r${index + 1}`)], {
        priority: length - index,
      }),
    );

  test("a chain is as long as it may be, and no longer", () => {
    expect(done(run(line(11)))).toEqual(["end"]);
    expect(() => createRuleset(line(12))).toThrow("chains more than 10 rules");
  });

  test.each([
    ["itself", [rule("a", [chain("a")])], "leads back: a → a"],
    ["two", [rule("a", [chain("b")]), rule("b", [chain("a")])], "leads back: a → b → a"],
    ["nowhere", [rule("abc", [chain("abd")]), rule("abcd", [])], "there is no rule abd"],
    ["twice the name", [rule("a", [tag("x")]), rule("a", [tag("y")])], "a is given twice"],
    [
      "a thousand",
      Array.from({ length: 1_000 }, (_, at) => rule(`${at}`, [chain(`${(at + 1) % 1_000}`)])),
      "chains more than 10 rules",
    ],
  ])("%s is refused when it is loaded", (_, rules, why) => {
    expect(() => createRuleset(rules)).toThrow(why);
  });
});

test("the index leaves out only what cannot match", () => {
  expect(createRuleset([]).mayMatch("memory.add")).toBe(false);
  const typed = (type: string): PolicyRule =>
    rule(type, [tag(type)], { conditions: [{ type: "equals", field: "type", value: type }] });
  const rules = createRuleset([typed("memory.add"), typed("command")]);
  expect([rules.mayMatch("command"), rules.mayMatch("memory.search")]).toEqual([true, false]);
  expect(createRuleset([rule("any", [tag("a")])]).mayMatch("x")).toBe(true);
});
