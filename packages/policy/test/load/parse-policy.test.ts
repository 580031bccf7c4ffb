import { describe, expect, test } from "@jest/globals";
import { formatFinding } from "@holdfast/document";
import { checkPolicyText, isPolicyText, parsePolicyText } from "@holdfast/policy";

const lines = (text: string, known?: string[]): string[] =>
  checkPolicyText(text, {
    file: "p.yaml",
    ...(known === undefined ? {} : { known: new Set(known) }),
  }).map(formatFinding);

const BODY = "conditions: [{type: always}], actions: [{type: skip}]";

describe("the three layouts of a document", () => {
  const rule = { conditions: [{ type: "always" }], actions: [{ type: "skip" }] };
  test.each([
    ["a map", `rules: {a: {${BODY}}, b: {${BODY}}}`, ["a", "b"]],
    ["a list", `rules: [{name: a, ${BODY}}]`, ["a"]],
    ["one rule", `{name: a, ${BODY}}`, ["a"]],
    ["JSON", JSON.stringify({ rules: { a: rule } }), ["a"]],
  ])("%s", (_, text, names) => {
    const { rules, findings } = parsePolicyText(text, { file: "p.yaml" });
    expect(findings).toEqual([]);
    expect(rules).toEqual(names.map((name) => ({ name, ...rule })));
  });
});

const one = (condition: string, action = "{type: skip}"): string =>
  `name: a\nconditions:\n  - ${condition}\nactions:\n  - ${action}\n`;

describe("each finding says where, what, what was expected and what was meant", () => {
  test.each([
    [
      one("{type: equls, field: text, value: 1}"),
      'p.yaml:3:12: conditions[0].type: "equls" is not known',
      "did you mean equals?",
    ],
    [one("{type: equals, field: text}"), "p.yaml:3:5: conditions[0]: lacks value", "a line value:"],
    [
      one("{type: always, field: text}"),
      "p.yaml:3:20: conditions[0].field: is not a known key",
      "one of type, negate",
    ],
    [
      one("{type: equals, field: text, values: [1]}"),
      "conditions[0].values: is not a known key",
      "did you mean value?",
    ],
    [
      one("{type: probability, probability: 2}"),
      "3:38: conditions[0].probability: 2 is out of range",
      "from 0 to 1",
    ],
    [
      one("{type: rate_limit, rate_limit: 0, time_window: 1}"),
      "rate_limit: 0 is out of range",
      "a whole number from 1",
    ],
    [
      one("{type: time_range, start_time: '9:00', end_time: '10:00'}"),
      '"9:00" has the wrong form',
      "'HH:MM'",
    ],
    [
      one("{type: time_range, start_time: '09:00', end_time: '09:00'}"),
      "3:55: conditions[0].end_time: is the start_time too",
      "another time",
    ],
    [
      one("{type: time_range, start_time: '24:00', end_time: '09:00'}"),
      "24:00 is only an end",
      "'00:00'",
    ],
    [
      one("{type: time_range, start_time: '08:00', end_time: '09:00', timezone: Nowhere}"),
      "timezone: Nowhere is not known",
      "Europe/Berlin",
    ],
    [
      one("{type: between, field: text, min_value: 2, max_value: 1}"),
      "min_value: 2 is more than max_value",
      "at most 1",
    ],
    [
      one("{type: matches_regex, field: text, regex_pattern: '(?=x)'}"),
      "3:55: conditions[0].regex_pattern: lookaround is not supported",
      "negate: true",
    ],
    [
      one("{type: matches_regex, field: text, regex_pattern: '(a)\\1'}"),
      "backreferences are not supported",
      "RE2 syntax",
    ],
    [
      one("{type: equals, field: metdata.kind, value: x}"),
      "metdata is no part of an event",
      "did you mean metadata.kind?",
    ],
    [
      one("{type: composite_and, sub_conditions: []}"),
      "sub_conditions: is empty",
      "at least 1 item",
    ],
    [
      one("{type: composite_or, sub_conditions: [{type: nevr}]}"),
      "conditions[0].sub_conditions[0].type",
      "did you mean never?",
    ],
    [
      one("{type: always}", "{type: abort, retry_count: 1}"),
      "actions[0].retry_count: is not a known key",
      "one of type, parameters, condition, priority",
    ],
    [one("{type: always}", "{type: add_tag}"), "actions[0]: lacks parameters", "a mapping"],
    [
      one("{type: always}", "{type: add_tag, parameters: {tags: [x]}}"),
      "parameters.tags: is not a known key",
      "did you mean tag?",
    ],
    [
      one("{type: always}", "{type: execute_webhook, parameters: {url: 'ftp://x'}}"),
      "has the wrong form",
      "an http or https address",
    ],
    [
      one("{type: always}", "{type: execute_webhook, parameters: {url: 'https://x', secret: abc}}"),
      "secrets are not written into the file",
      "{env: NAME}",
    ],
    [
      one("{type: always}", "{type: set_quality_score, parameters: {score: 5}}"),
      "5 is out of range",
      "from 0 to 1",
    ],
    [
      one("{type: always}", "{type: chain_policy, parameters: {policy: b}}"),
      "5:47: actions[0].parameters.policy: there is no rule b in this file",
      "",
    ],
    [
      `rules:\n  a: {${BODY}}\n  b: {name: c, ${BODY}}\n`,
      "p.yaml:3:3: rules.b: its name is c",
      "the same name as its key",
    ],
    [
      `rules:\n  - {name: a, ${BODY}}\n  - {name: a, ${BODY}}\n`,
      "p.yaml:3:12: rules[1].name: a is given twice",
      "each name once",
    ],
    [
      "priority: 5\nname: a\nconditions: []\nactions: [{type: skip}]",
      "3:13: conditions: is empty",
      "at least 1 item",
    ],
    [`{name: '', ${BODY}}`, "name: is empty", ""],
    [`{name: a, priority: 1001, ${BODY}}`, "1001 is out of range", "from 0 to 1000"],
    [`{name: a, scope: team, ${BODY}}`, '"team" is not known', "session"],
    [`{name: a, enabled: yes, ${BODY}}`, 'is "yes"', "did you mean true?"],
    ["rule: {}", "rule: is not a known key", "did you mean rules?"],
    ["[1, 2]", "p.yaml:1:1: is a list", "a mapping"],
    ["rules: {}", "rules: holds no rule", ""],
    ["rules: [", "not YAML", ""],
    [`rules: {a: {${BODY}}, a: {${BODY}}}`, "the key a is given twice", "each key once"],
  ])("%s", (text, where, expected) => {
    const found = lines(text).join("\n");
    expect(found).toContain(where);
    expect(found).toContain(expected);
  });

  test("chains may lead to rules that are elsewhere", () => {
    const text = one("{type: always}", "{type: chain_policy, parameters: {policy: other}}");
    expect(lines(text, ["other"])).toEqual([]);
    expect(lines(text, ["others"])[0]).toContain("did you mean others?");
    const severity = (names?: string[]): string | undefined =>
      checkPolicyText(text, { file: "p", ...(names && { known: new Set(names) }) })[0]?.severity;
    expect([severity(), severity([])]).toEqual(["note", "error"]);
  });

  test("with an error no rule is read; with a warning all are", () => {
    const parsed = (text: string): number => parsePolicyText(text, { file: "p" }).rules.length;
    expect(parsed(one("{type: equals, field: txt, value: x}"))).toBe(1);
    expect(parsed(one("{type: between, field: text, min_value: 2, max_value: 1}"))).toBe(0);
  });

  test("conditions are nested only so deeply", () => {
    const nested = (depth: number): string =>
      `${"{type: composite_and, sub_conditions: [".repeat(depth)}{type: always}${"]}".repeat(depth)}`;
    expect(lines(one(nested(19)))).toEqual([]);
    expect(lines(one(nested(20)))[0]).toContain("is nested too deeply");
  });
});

test("what is meant as a policy is known", () => {
  const texts = ["rules: {}", `{name: a, ${BODY}}`, "rules: [", "vector_store: {}", "", "[1"];
  expect(texts.map(isPolicyText)).toEqual([true, true, true, false, false, false]);
});
