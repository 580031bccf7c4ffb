import { expect, test } from "@jest/globals";
import { splitPolicyText, withoutRule } from "@holdfast/policy";
import * as fc from "fast-check";
import { ruleLists } from "./arbitrary-rules.ts";

const MAP = `# The team's rules.
rules:
  # Nothing secret.
  no-secrets:
    conditions: # at least one
      - {type: contains, field: text, value: secret}
    actions: [{type: abort}]

  # Errors,
  # marked.
  errors:
    conditions: [{type: equals, field: type, value: error}]
    actions:
      - type: chain_policy
        parameters: {policy: elsewhere}
`;

const LIST = `rules:
  -
    name: a
    conditions: [{type: always}]
    actions: [{type: log_event}]
  # The second.
  - name: b
    description: |
      Several lines.
    conditions: [{type: always}]
    actions: [{type: log_event}]
`;

test("rules of a map are cut out with their comments", () => {
  expect(splitPolicyText(MAP).map(({ rule, text, format }) => [rule.name, format, text])).toEqual([
    [
      "no-secrets",
      "yaml",
      `# The team's rules.
rules:
  # Nothing secret.
  no-secrets:
    conditions: # at least one
      - {type: contains, field: text, value: secret}
    actions: [{type: abort}]
`,
    ],
    [
      "errors",
      "yaml",
      `# The team's rules.
rules:

  # Errors,
  # marked.
  errors:
    conditions: [{type: equals, field: type, value: error}]
    actions:
      - type: chain_policy
        parameters: {policy: elsewhere}
`,
    ],
  ]);
});

test("rules of a list are cut out, wherever their dash stands", () => {
  expect(splitPolicyText(LIST).map(({ text }) => text)).toEqual([
    `rules:
  -
    name: a
    conditions: [{type: always}]
    actions: [{type: log_event}]
`,
    `rules:
  # The second.
  - name: b
    description: |
      Several lines.
    conditions: [{type: always}]
    actions: [{type: log_event}]
`,
  ]);
});

test("one rule is its own document, as it is", () => {
  const text = "name: a # it\nconditions: [{type: always}]\nactions: [{type: log_event}]";
  expect(splitPolicyText(text)).toMatchObject([{ text: `${text}\n`, format: "yaml" }]);
  expect(withoutRule(text, "a")).toBe("");
});

test("what cannot be cut out is written anew, and says that its comments are lost", () => {
  const flow = "rules: [{name: a, conditions: [{type: always}], actions: [{type: log_event}]}] # c";
  const [anew] = splitPolicyText(flow);
  expect(anew).toMatchObject({ format: "json", commentsLost: true });
  expect(JSON.parse(anew?.text ?? "")).toEqual(anew?.rule);
  expect(
    withoutRule(
      `${flow.slice(0, -5)}, {name: b, conditions: [{type: always}], actions: [{type: log_event}]}]`,
      "a",
    ),
  ).toBeUndefined();
  const shared = `rules:
  a:
    conditions: &all [{type: always}]
    actions: [{type: log_event}]
  b:
    conditions: *all
    actions: [{type: log_event}]
`;
  expect(splitPolicyText(shared).map(({ format }) => format)).toEqual(["yaml", "json"]);
  expect(withoutRule(shared, "a")).toBeUndefined();
  expect(withoutRule(shared, "b")).toBe(shared.slice(0, shared.indexOf("  b:")));
});

test("a rule taken out leaves the rest as it was", () => {
  expect(withoutRule(MAP, "errors")).toBe(MAP.slice(0, MAP.indexOf("\n  # Errors")));
  expect(withoutRule(MAP, "no-secrets")).not.toContain("Nothing secret");
});

test("any valid document is split into its rules, and each is found again alone", () => {
  fc.assert(
    fc.property(ruleLists, fc.boolean(), (rules, asMap) => {
      const blocks = rules.map((rule) =>
        asMap
          ? `  # of ${rule.name}\n  ${rule.name}: ${JSON.stringify(rule)}\n`
          : `  # of ${rule.name}\n  - ${JSON.stringify(rule)}\n`,
      );
      const parts = splitPolicyText(`rules:\n${blocks.join("")}`);
      expect(parts.map(({ rule }) => rule)).toEqual(rules);
      expect(parts.map(({ text }) => text)).toEqual(blocks.map((block) => `rules:\n${block}`));
    }),
  );
});
