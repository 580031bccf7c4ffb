import { expect, test } from "@jest/globals";
import {
  CoverageMeter,
  createRuleset,
  junitXml,
  parseSuite,
  type PolicyRule,
  readEvent,
  runSuite,
  type Suite,
  type TestReport,
} from "@holdfast/policy";

const RULES: readonly PolicyRule[] = [
  {
    name: "no-secrets",
    priority: 10,
    conditions: [{ type: "contains", field: "text", value: "password" }],
    actions: [{ type: "abort", parameters: { reason: "secret" } }],
  },
  {
    name: "once-a-minute",
    conditions: [{ type: "equals", field: "type", value: "error" }],
    actions: [{ type: "add_tag", parameters: { tag: "error" } }, { type: "log_event" }],
    cooldown_period: 60,
  },
];

const SUITE = `
timezone: Europe/Berlin
tests:
  - name: secrets are not stored
    events:
      - event: {type: memory.add, text: "my password is x"}
        expect: {decision: abort, aborted_by: no-secrets, matched: [no-secrets], effects: []}
      - event: {text: harmless}
        expect: {decision: allow, matched: [], not_matched: [once-a-minute]}
  - name: errors are tagged once a minute
    events:
      - event: {type: error, text: one}
        expect: {matched: [once-a-minute], effects: [add_tag, log_event]}
      - at: 59s
        event: {type: error, text: two}
        expect: {matched: []}
      - at: 1m
        event: {type: error, text: three}
        expect: {matched: [once-a-minute]}
`;

function run(text: string, meter?: CoverageMeter): TestReport[] {
  const ruleset = createRuleset(RULES);
  return runSuite(parsed(text), ruleset, meter === undefined ? {} : { meter });
}

function parsed(text: string): Suite {
  const { suite, findings } = parseSuite(text, "a.policytest.yaml");
  if (suite === undefined) throw new Error(JSON.stringify(findings));
  return suite;
}

test("a suite's events are decided at their own times, each test's limits counted from nothing", () => {
  expect(run(SUITE)).toEqual([
    { name: "secrets are not stored", passed: true, failures: [] },
    { name: "errors are tagged once a minute", passed: true, failures: [] },
  ]);
});

test("each difference is named, with the event", () => {
  const [report] = run(`
tests:
  - name: wrong
    events:
      - event: {text: "the password"}
        expect: {decision: allow, aborted_by: other, matched: [once-a-minute], not_matched: [no-secrets, nobody], effects: [log_event]}
`);
  expect(report).toEqual({
    name: "wrong",
    passed: false,
    failures: [
      "expected decision allow, was abort",
      "expected aborted_by other, was no-secrets",
      "expected matched [once-a-minute], was [no-secrets]",
      "expected effects [log_event], was []",
      "expected that no-secrets does not match, and it did",
      "there is no rule nobody",
    ].map((line) => `events[0] (memory.add "the password"): ${line}`),
  });
});

test("a suite that is none says where and what was expected", () => {
  const lines = (text: string): string[] =>
    parseSuite(text, "s").findings.map(
      ({ line, path, message, suggestion }) => `${line} ${path} ${message} ${suggestion ?? ""}`,
    );
  expect(
    lines(
      "tests:\n  - name: a\n    events:\n      - event: {txt: a}\n        expect: {desicion: abort}",
    ),
  ).toEqual([
    "4 tests[0].events[0].event.txt is not a known key text",
    "5 tests[0].events[0].expect.desicion is not a known key decision",
  ]);
  expect(lines("tests: [}")[0]).toMatch(/^1 {2}not YAML/);
  expect(lines("{}")).toEqual(["1  lacks tests "]);
  const step = "events: [{event: {}, expect: {decision: allow}}]";
  expect(lines(`timezone: Mars/North\ntests: [{name: a, ${step}}, {name: a, ${step}}]`)).toEqual([
    "1 timezone Mars/North is no timezone ",
    "1 tests[1].name a is the name of an earlier test ",
  ]);
  expect(lines(`start: "2026-13-01T00:00:00Z"\ntests: [{name: a, ${step}}]`)).toHaveLength(1);
  expect(
    lines(`tests: [{name: a, events: [{at: soon, event: {}, expect: {decision: allow}}]}]`),
  ).toHaveLength(1);
});

test("coverage says which rules never matched, and which conditions were never true, or never not", () => {
  const meter = new CoverageMeter(
    createRuleset([
      ...RULES,
      {
        name: "composite",
        conditions: [
          {
            type: "composite_or",
            sub_conditions: [
              { type: "equals", field: "text", value: "never said" },
              { type: "always" },
              { type: "rate_limit", rate_limit: 5, time_window: 1 },
            ],
          },
        ],
        actions: [
          { type: "log_event", condition: { type: "contains", field: "text", value: "x" } },
        ],
      },
      { name: "off", enabled: false, conditions: [{ type: "never" }], actions: [{ type: "skip" }] },
    ]),
  );
  expect(meter.coverage).toMatchObject({ rules: { total: 3, covered: 0 }, percent: 0 });
  run(SUITE, meter);
  // The suite ran by rules without the third, so of that nothing was seen.
  expect(meter.coverage).toEqual({
    rules: { total: 3, covered: 2, missing: ["composite"] },
    conditions: {
      total: 5,
      covered: 2,
      missing: [
        { rule: "composite", path: "conditions[0].sub_conditions[0]", never: "asked" },
        { rule: "composite", path: "conditions[0].sub_conditions[2]", never: "asked" },
        { rule: "composite", path: "actions[0].condition", never: "asked" },
      ],
    },
    percent: 40,
  });
});

test("a condition that was only ever true, or only ever false, is not covered", () => {
  const ruleset = createRuleset(RULES);
  const meter = new CoverageMeter(ruleset);
  const events = `events: [{event: {type: error, text: a}, expect: {decision: allow}}]`;
  runSuite(parsed(`tests: [{name: a, ${events}}]`), ruleset, { meter });
  expect(meter.coverage.conditions.missing).toEqual([
    { rule: "no-secrets", path: "conditions[0]", never: "true" },
    { rule: "once-a-minute", path: "conditions[0]", never: "not true" },
  ]);
});

test("JUnit XML holds any text", () => {
  const failures = ['a < b & "c"\u0000\nline'];
  const xml = junitXml([
    { file: "a.policytest.yaml", tests: [{ name: "ok", passed: true, failures: [] }] },
    { file: "b & c", tests: [{ name: "<b>", passed: false, failures }] },
  ]);
  expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="policies" tests="2" failures="1" errors="0" skipped="0">
  <testsuite name="a.policytest.yaml" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="a.policytest.yaml" name="ok"/>
  </testsuite>
  <testsuite name="b &amp; c" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="b &amp; c" name="&lt;b&gt;">
      <failure message="a &lt; b &amp; &quot;c&quot;\uFFFD&#10;line">a &lt; b &amp; &quot;c&quot;\uFFFD&#10;line</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test("an event is read from JSON or YAML, filled in, and what is no part of it becomes context", () => {
  const options = { file: "e.json", now: 5 };
  expect(readEvent('{"text": "a", "mood": "good", "context": {"error": 1}}', options)).toEqual({
    id: "event",
    type: "memory.add",
    at: 5,
    scope: {},
    text: "a",
    context: { mood: "good", error: 1 },
  });
  expect(readEvent("type: error\nat: 7\nscope: {user: ada}", options)).toEqual({
    id: "event",
    type: "error",
    at: 7,
    scope: { user: "ada" },
  });
  const wrong = expect.objectContaining({ code: "POLICY_EVENT_INVALID" }) as unknown as Error;
  expect(() => readEvent('{"text": 5}', options)).toThrow(wrong);
  expect(() => readEvent("[1]", options)).toThrow(wrong);
  expect(() => readEvent("{", options)).toThrow(wrong);
  expect(() => readEvent('{"scope": {"usr": "ada"}}', options)).toThrow(/e\.json:1:12: .*user/);
});
