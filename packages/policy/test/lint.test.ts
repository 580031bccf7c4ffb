import { expect, test } from "@jest/globals";
import {
  type Action,
  type Condition,
  type LintReport,
  lintRules,
  type PolicyRule,
} from "@holdfast/policy";

const LOG: Action = { type: "log_event" };
const ABORT: Action = { type: "abort" };
const SECRET: Condition = { type: "contains", field: "text", value: "secret" };

function rule(name: string, changes: Partial<PolicyRule> = {}): PolicyRule {
  return { name, conditions: [SECRET], actions: [LOG], ...changes };
}

const kinds = ({ findings }: LintReport): string[] =>
  findings.map(({ kind, rule: name, other, paths }) =>
    [kind, name, ...(other === undefined ? [] : [other]), ...paths].join(" "),
  );

test("rules that are fine are left in peace", () => {
  const rules = [
    rule("secrets", { actions: [ABORT], priority: 10 }),
    rule("errors", { conditions: [{ type: "equals", field: "type", value: "error" }] }),
    rule("all", { conditions: [{ type: "always" }] }),
    rule("off", { conditions: [{ type: "never" }], enabled: false }),
  ];
  expect(lintRules(rules)).toEqual({ findings: [], unknown: [] });
});

test.each<[string, Condition[], string]>([
  ["never", [{ type: "never" }], "conditions[0]"],
  ["two values", [equals("a"), SECRET, equals("b")], "conditions[0] conditions[2]"],
  ["two kinds of value", [equals("1"), equals(1)], "conditions[0] conditions[1]"],
  [
    "numbers apart",
    [
      { type: "greater_than", field: "metadata.size", value: 5 },
      { type: "between", field: "metadata.size", min_value: 1, max_value: 5 },
    ],
    "conditions[0] conditions[1]",
  ],
  [
    "part of what must be there",
    [SECRET, { type: "not_contains", field: "text", value: "ecre" }],
    "conditions[0] conditions[1]",
  ],
  ["a number in a text", [{ type: "equals", field: "text", value: 1 }], "conditions[0]"],
  [
    "an error negated",
    [{ type: "greater_than", field: "text", value: 1, negate: true }],
    "conditions[0]",
  ],
  [
    "times apart",
    [
      { type: "time_range", start_time: "22:00", end_time: "06:00" },
      { type: "time_range", start_time: "09:00", end_time: "17:00" },
    ],
    "conditions[0] conditions[1]",
  ],
  [
    "a draw that is below and not",
    [
      { type: "probability", probability: 0.2 },
      { type: "probability", probability: 0.3, negate: true },
    ],
    "conditions[0] conditions[1]",
  ],
  [
    "within sub-conditions",
    [
      {
        type: "composite_or",
        sub_conditions: [{ type: "never" }, { type: "always", negate: true }],
      },
    ],
    "conditions[0]",
  ],
  [
    "a list without what it must have",
    [
      { type: "in_list", field: "metadata.kind", values: ["a", "b"] },
      { type: "not_in_list", field: "metadata.kind", values: ["b", "a", "c"] },
    ],
    "conditions[0] conditions[1]",
  ],
])("unsatisfiable: %s", (_, conditions, paths) => {
  expect(kinds(lintRules([rule("r", { conditions })]))).toEqual([`unsatisfiable r ${paths}`]);
});

test.each<[string, Partial<PolicyRule>]>([
  ["a whole day", { conditions: [{ type: "time_range", start_time: "00:00", end_time: "24:00" }] }],
  ["probability 1", { conditions: [{ type: "probability", probability: 1 }] }],
  ["or always", { conditions: [SECRET, { type: "always" }], condition_operator: "OR" }],
  [
    "one of two that cannot both fail, of a field that is always there",
    {
      conditions: [
        { type: "equals", field: "type", value: "a" },
        { type: "not_equals", field: "type", value: "a" },
      ],
      condition_operator: "OR",
    },
  ],
])("always true: %s", (_, changes) => {
  const { findings } = lintRules([rule("r", changes)]);
  expect(findings).toMatchObject([{ kind: "always-true", rule: "r" }]);
});

test("of a field that may be missing, it and its opposite are not everything", () => {
  const conditions: Condition[] = [SECRET, { ...SECRET, negate: true }];
  const report = lintRules([rule("r", { conditions, condition_operator: "OR" })]);
  expect(report).toEqual({ findings: [], unknown: [] });
});

test("duplicates are found however they are written", () => {
  const list: Condition = { type: "in_list", field: "type", values: ["a", "b"] };
  const rules = [
    rule("one", { conditions: [SECRET, list], description: "first" }),
    rule("two", {
      conditions: [{ ...list, values: ["b", "a"], negate: false }, SECRET],
      scope: "global",
    }),
    rule("three", { conditions: [SECRET, list], cooldown_period: 5 }),
    rule("four", { conditions: [SECRET, { type: "probability", probability: 0.5 }] }),
    rule("five", { conditions: [SECRET, { type: "probability", probability: 0.5 }] }),
  ];
  expect(kinds(lintRules(rules))).toEqual(["duplicate two one"]);
});

test("a rule is shadowed by one before it that implies it and surely aborts", () => {
  const both: Condition[] = [SECRET, { type: "equals", field: "type", value: "error" }];
  const shadow = (changes: Partial<PolicyRule>): string[] =>
    kinds(
      lintRules([
        rule("first", { priority: 1, actions: [ABORT], ...changes }),
        rule("r", { conditions: both }),
      ]),
    );
  expect(shadow({})).toEqual(["shadowed r first"]);
  expect(shadow({ actions: [LOG, { type: "skip" }, ABORT] })).toEqual([]);
  expect(shadow({ actions: [{ ...ABORT, condition: SECRET }] })).toEqual([]);
  expect(shadow({ max_executions: 5 })).toEqual([]);
  expect(shadow({ scope: "user" })).toEqual([]);
  expect(shadow({ priority: 0, name: "z" })).toEqual([]);
  expect(
    shadow({ conditions: [...both, { type: "equals", field: "priority", value: 1 }] }),
  ).toEqual([]);
});

test("a rule that another leads to by a chain may act before the abort", () => {
  const rules = [
    rule("first", {
      priority: 1,
      actions: [{ type: "chain_policy", parameters: { policy: "r" } }, ABORT],
    }),
    rule("r"),
  ];
  expect(kinds(lintRules(rules))).toEqual([]);
});

test("actions that clash are found where one event sets off both", () => {
  const add: Action = { type: "add_tag", parameters: { tag: "x" } };
  const remove: Action = { type: "remove_tag", parameters: { tag: "x" } };
  const error: Condition = { type: "equals", field: "type", value: "error" };
  const command: Condition = { type: "equals", field: "type", value: "command" };
  const of = (...rules: PolicyRule[]): string[] => kinds(lintRules(rules));
  expect(
    of(rule("a", { actions: [add] }), rule("b", { conditions: [error], actions: [remove] })),
  ).toEqual(["contradictory a b actions[0]"]);
  expect(
    of(
      rule("a", { conditions: [command], actions: [add] }),
      rule("b", { conditions: [error], actions: [remove] }),
    ),
  ).toEqual([]);
  expect(of(rule("a", { actions: [add, { ...remove, parameters: { tag: "y" } }] }))).toEqual([]);
  expect(
    of(rule("a", { actions: [add, { ...remove, parameters: { tag: "x", id: "other" } }] })),
  ).toEqual([]);
  expect(
    of(
      rule("a", {
        actions: [
          { ...add, condition: error },
          { ...remove, condition: command },
        ],
      }),
    ),
  ).toEqual([]);
  expect(of(rule("a", { actions: [{ type: "delete_memory" }, add] }))).toEqual([
    "contradictory a actions[0] actions[1]",
  ]);
  const score = (value: number): Action => ({
    type: "set_quality_score",
    parameters: { score: value },
  });
  expect(
    of(rule("a", { actions: [score(0)] }), rule("b", { actions: [score(1)], priority: 1 })),
  ).toEqual(["contradictory a b actions[0]"]);
});

test("what depends on what was counted before, or on a pattern that nothing suits, is unknown", () => {
  const spent: Condition = { type: "rate_limit", rate_limit: 1, time_window: 60, negate: true };
  const odd: Condition = { type: "matches_regex", field: "text", regex_pattern: "a\\x{1F600}" };
  const { findings, unknown } = lintRules([
    rule("spent", { conditions: [spent] }),
    rule("odd", { conditions: [odd] }),
  ]);
  expect(findings).toEqual([]);
  expect(unknown).toMatchObject([
    { kind: "unsatisfiable", rule: "odd" },
    { kind: "unsatisfiable", rule: "spent" },
  ]);
});

test.each([
  "password\\s*[:=]\\s*\\S+",
  "^(?i:api[_-]?key)$",
  "[A-Z]{20,}",
  "\\b\\d{4}-\\d{4}\\b",
  "^[^@ ]+@[^@ ]+\\.(com|org)$",
  "a|b|(c{3})+",
  "^$",
])("a text is found for the pattern %s", (regex_pattern) => {
  const conditions: Condition[] = [{ type: "matches_regex", field: "text", regex_pattern }];
  expect(lintRules([rule("r", { conditions })])).toEqual({ findings: [], unknown: [] });
});

test("conditions that can hold in too many ways are unknown, and soon", () => {
  const sub_conditions: Condition[] = [equals("a"), equals("b"), equals("c")];
  const conditions: Condition[] = Array.from({ length: 30 }, () => ({
    type: "composite_or",
    sub_conditions,
  }));
  const { findings, unknown } = lintRules([rule("r", { conditions })]);
  expect(findings).toEqual([]);
  expect(unknown).toMatchObject([{ kind: "unsatisfiable", rule: "r" }]);
});

function equals(value: string | number): Condition {
  return { type: "equals", field: "metadata.kind", value };
}
