import { describe, expect, test } from "@jest/globals";
import type { Condition, ConditionTrace, PolicyEvent } from "@holdfast/policy";
import { createRuleset, evaluate } from "@holdfast/policy";

const EVENT: PolicyEvent = {
  id: "e1",
  type: "memory.add",
  // 14:30 in UTC.
  at: Date.UTC(2026, 0, 15, 14, 30),
  scope: { user: "ada", session: "s1" },
  text: "The build failed twice",
  tags: ["build", "ci"],
  metadata: { count: 3, ok: false, "dotted.key": "d", nested: { deep: [10, 20] }, none: null },
  context: { exit_code: 2, empty: "" },
};

/** What one condition answers, and why. */
function asked(condition: Condition, event: PolicyEvent = EVENT): ConditionTrace {
  const rules = createRuleset([
    { name: "r", conditions: [condition], actions: [{ type: "skip" }] },
  ]);
  const { trace } = evaluate(rules, event, {
    now: event.at,
    timezone: "UTC",
    seed: "seed",
    counters: {
      executions: () => ({ count: 0, lastAt: undefined }),
      usesBetween: () => 2,
      counted: () => false,
    },
    explain: true,
  });
  const [line] = trace[0]?.conditions ?? [];
  if (line === undefined) throw new Error("nothing was asked");
  return line;
}

type Row = [condition: Condition, outcome: "true" | "false"];
const HOLDING: Row[] = [
  [{ type: "always" }, "true"],
  [{ type: "never" }, "false"],
  [{ type: "equals", field: "type", value: "memory.add" }, "true"],
  [{ type: "equals", field: "metadata.count", value: 4 }, "false"],
  [{ type: "equals", field: "metadata.ok", value: false }, "true"],
  [{ type: "equals", field: "exit_code", value: 2 }, "true"],
  [{ type: "equals", field: "metadata.dotted.key", value: "d" }, "true"],
  [{ type: "equals", field: "metadata.nested.deep.1", value: 20 }, "true"],
  [{ type: "not_equals", field: "scope.user", value: "bob" }, "true"],
  [{ type: "not_equals", field: "scope.user", value: "ada" }, "false"],
  [{ type: "contains", field: "text", value: "failed" }, "true"],
  [{ type: "contains", field: "tags", value: "ci" }, "true"],
  [{ type: "contains", field: "tags", value: "c" }, "false"],
  [{ type: "not_contains", field: "tags", value: "c" }, "true"],
  [{ type: "not_contains", field: "text", value: "build" }, "false"],
  [{ type: "greater_than", field: "metadata.count", value: 2 }, "true"],
  [{ type: "greater_than", field: "metadata.count", value: 3 }, "false"],
  [{ type: "greater_than", field: "text.length", value: 10 }, "true"],
  [{ type: "less_than", field: "tags.length", value: 2 }, "false"],
  [{ type: "less_than", field: "metadata.count", value: 4 }, "true"],
  [{ type: "between", field: "metadata.count", min_value: 3, max_value: 3 }, "true"],
  [{ type: "between", field: "metadata.count", min_value: 4, max_value: 9 }, "false"],
  [{ type: "in_list", field: "scope.user", values: ["bob", "ada"] }, "true"],
  [{ type: "in_list", field: "metadata.count", values: [1, 2] }, "false"],
  [{ type: "not_in_list", field: "scope.user", values: ["bob"] }, "true"],
  [{ type: "not_in_list", field: "scope.user", values: ["ada"] }, "false"],
  [{ type: "matches_regex", field: "text", regex_pattern: "(?i)BUILD (failed|broke)" }, "true"],
  [{ type: "matches_regex", field: "text", regex_pattern: "^build" }, "false"],
  [{ type: "time_range", start_time: "14:00", end_time: "15:00" }, "true"],
  [{ type: "time_range", start_time: "14:31", end_time: "14:30" }, "false"],
  [{ type: "time_range", start_time: "22:00", end_time: "23:00", timezone: "Asia/Tokyo" }, "false"],
  [{ type: "time_range", start_time: "23:00", end_time: "24:00", timezone: "Asia/Tokyo" }, "true"],
  [{ type: "rate_limit", rate_limit: 3, time_window: 60 }, "true"],
  [{ type: "rate_limit", rate_limit: 2, time_window: 60 }, "false"],
  [{ type: "probability", probability: 1 }, "true"],
  [{ type: "probability", probability: 0 }, "false"],
  [{ type: "composite_and", sub_conditions: [{ type: "always" }, { type: "never" }] }, "false"],
  [{ type: "composite_and", sub_conditions: [{ type: "always" }] }, "true"],
  [{ type: "composite_or", sub_conditions: [{ type: "never" }, { type: "always" }] }, "true"],
  [{ type: "composite_or", sub_conditions: [{ type: "never" }] }, "false"],
];

describe("what can be decided is, and negate turns it round", () => {
  test.each(HOLDING)("%j is %s", (condition, outcome) => {
    expect(asked(condition)).toMatchObject({ outcome, negate: false, path: "conditions[0]" });
    const opposite = outcome === "true" ? "false" : "true";
    expect(asked({ ...condition, negate: true })).toMatchObject({
      outcome: opposite,
      negate: true,
    });
  });

  test("every type is among them", () => {
    expect(new Set(HOLDING.map(([{ type }]) => type)).size).toBe(17);
  });
});

type Faulty = [condition: Condition, why: string];
const FIELDS: ((field: string) => Condition)[] = [
  (field) => ({ type: "equals", field, value: "x" }),
  (field) => ({ type: "not_equals", field, value: "x" }),
  (field) => ({ type: "contains", field, value: "x" }),
  (field) => ({ type: "not_contains", field, value: "x" }),
  (field) => ({ type: "greater_than", field, value: 1 }),
  (field) => ({ type: "less_than", field, value: 1 }),
  (field) => ({ type: "between", field, min_value: 1, max_value: 2 }),
  (field) => ({ type: "in_list", field, values: ["x"] }),
  (field) => ({ type: "not_in_list", field, values: ["x"] }),
  (field) => ({ type: "matches_regex", field, regex_pattern: "x" }),
];
const ABSENT = [
  "source",
  "metadata.absent",
  "absent",
  "text.0",
  "metadata.nested.deep.9",
  "metadata.toString",
];

describe("a missing field is an error, whatever negate says", () => {
  const rows = FIELDS.flatMap((make) => ABSENT.map((field): Faulty => [make(field), field]));
  test.each(rows)("%j", (condition, field) => {
    for (const negate of [false, true])
      expect(asked({ ...condition, negate })).toMatchObject({
        outcome: "error",
        why: `${field} is missing`,
      });
  });
});

describe("a value of the wrong type is an error, whatever negate says", () => {
  const rows: Faulty[] = [
    ...FIELDS.map((make): Faulty => [make("metadata.ok"), "metadata.ok is boolean, not "]),
    ...FIELDS.map((make): Faulty => [make("metadata.none"), "metadata.none is null, not "]),
    ...FIELDS.map((make): Faulty => [make("metadata.nested"), "metadata.nested is object, not "]),
    [{ type: "equals", field: "metadata.count", value: "3" }, "count is number, not string"],
    [{ type: "contains", field: "text", value: 3 }, "text is string, not string or list"],
    [{ type: "greater_than", field: "text", value: 3 }, "text is string, not number"],
  ];
  test.each(rows)("%j", (condition, why) => {
    for (const negate of [false, true]) {
      const line = asked({ ...condition, negate });
      expect(line.outcome).toBe("error");
      expect(line.why).toContain(why);
    }
  });
});

describe("errors in what is joined", () => {
  const error: Condition = { type: "equals", field: "absent", value: 1 };
  const yes: Condition = { type: "always" };
  const no: Condition = { type: "never" };
  test.each<[Condition["type"], Condition[], string]>([
    ["composite_and", [error, yes], "error"],
    ["composite_and", [error, no], "false"],
    ["composite_and", [no, error], "false"],
    ["composite_or", [error, yes], "true"],
    ["composite_or", [yes, error], "true"],
    ["composite_or", [error, no], "error"],
  ])("%s of %j is %s", (type, subs, outcome) => {
    const condition = { type, sub_conditions: subs } as Condition;
    expect(asked(condition)).toMatchObject({ outcome, sub_conditions: [{}, {}] });
  });
});

test("of a long text only the start is matched, and the trace says so", () => {
  const rules = createRuleset([
    {
      name: "r",
      conditions: [{ type: "matches_regex", field: "text", regex_pattern: "needle" }],
      actions: [{ type: "skip" }],
    },
  ]);
  const event = { ...EVENT, text: `${"hay ".repeat(10_000)}needle` };
  const { trace } = evaluate(rules, event, {
    now: 0,
    timezone: "UTC",
    seed: "",
    counters: undefined,
    explain: true,
  });
  expect(trace).toMatchObject([
    { outcome: "not-matched", notes: ["of text, only the first 16384 characters were matched"] },
  ]);
});

test("a draw is the same for the same seed, rule and event, and fair", () => {
  const drawn = (id: string, name = "r", seed = "s"): boolean => {
    const rules = createRuleset([
      {
        name,
        conditions: [{ type: "probability", probability: 0.3 }],
        actions: [{ type: "abort" }],
      },
    ]);
    const options = { now: 0, timezone: "UTC", seed, counters: undefined };
    return evaluate(rules, { ...EVENT, id }, options).decision.kind === "abort";
  };
  const ids = Array.from({ length: 3_000 }, (_, index) => `event ${index}`);
  const hits = ids.filter((id) => drawn(id));
  expect(ids.filter((id) => drawn(id))).toEqual(hits);
  expect(hits.length / ids.length).toBeGreaterThan(0.26);
  expect(hits.length / ids.length).toBeLessThan(0.34);
  expect(ids.filter((id) => drawn(id, "r", "other"))).not.toEqual(hits);
  expect(ids.filter((id) => drawn(id, "another"))).not.toEqual(hits);
});
