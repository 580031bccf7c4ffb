import { expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { checkPolicyText, parsePolicyText, policySchema } from "@holdfast/policy";
import { ruleLists } from "../arbitrary-rules.ts";

const validate = new Ajv({ strict: false }).compile(policySchema);

const DOCUMENT = `
rules:
  no-secrets:
    description: keep keys out
    priority: 900
    scope: user
    conditions:
      - {type: matches_regex, field: text, regex_pattern: '(?i)api[_-]?key', negate: false}
      - type: composite_or
        sub_conditions:
          - {type: between, field: metadata.size, min_value: 1, max_value: 10}
          - {type: time_range, start_time: "22:00", end_time: "06:00", timezone: Europe/Berlin}
          - {type: rate_limit, rate_limit: 3, time_window: 60}
    actions:
      - {type: add_tag, parameters: {tag: x}, priority: 3, condition: {type: probability, probability: 0.5}}
      - {type: execute_webhook, parameters: {url: "https://example.org", secret: {env: KEY}}, timeout: 3}
      - {type: abort, parameters: {reason: no}}
`;

test("the schema reads any list of rules as ajv does, and so what is left out or wrong", () => {
  const verdicts = { accepted: 0, refused: 0 };
  const spoiled = fc
    .tuple(ruleLists, fc.nat(), fc.constantFrom<unknown>(null, 5, "x", [], {}, true, undefined))
    .map(([rules, at, value]): unknown => {
      const copy = JSON.parse(JSON.stringify({ rules })) as object;
      const places: [Record<string, unknown>, string][] = [];
      const walk = (node: unknown): void => {
        if (typeof node !== "object" || node === null) return;
        for (const key of Object.keys(node)) {
          places.push([node as Record<string, unknown>, key]);
          walk((node as Record<string, unknown>)[key]);
        }
      };
      walk(copy);
      const [holder, key] = places[at % places.length] ?? [];
      if (holder !== undefined && key !== undefined) {
        if (value === undefined) delete holder[key];
        else holder[key] = value;
      }
      return copy;
    });
  const whole = ruleLists.map((rules): unknown => ({ rules }));
  fc.assert(
    fc.property(fc.oneof(whole, spoiled), (document) => {
      const text = JSON.stringify(document);
      // The schema knows nothing of what is wrong between fields.
      const findings = checkPolicyText(text, { file: "p" }).filter(
        ({ rule }) => rule !== undefined,
      );
      const accepted = findings.length === 0;
      expect({ text, accepted }).toEqual({ text, accepted: validate(JSON.parse(text)) });
      verdicts[accepted ? "accepted" : "refused"] += 1;
    }),
    { numRuns: 1_500 },
  );
  expect(verdicts.accepted).toBeGreaterThan(100);
  expect(verdicts.refused).toBeGreaterThan(100);
});

test("any mutation of a document is read or refused: no crash, no pollution, no hang", () => {
  const bits = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ":",
      "\n",
      "&a ",
      "*a",
      "!!x ",
      "__proto__: ",
      "<<: ",
      "- ",
      "'",
      '"',
      "# ",
      "|",
      "\t",
    ),
  );
  const mutated = fc
    .array(fc.tuple(fc.nat(DOCUMENT.length), fc.nat(8), bits), { minLength: 1, maxLength: 2 })
    .map((edits) =>
      edits.reduce(
        (text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut),
        DOCUMENT,
      ),
    );
  expect(checkPolicyText(DOCUMENT, { file: "p" })).toEqual([]);
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string()), (text) => {
      const { rules, findings } = parsePolicyText(text, { file: "p" });
      expect(findings.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      if (rules.length > 0) read += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(20);
});

test("a document of 10,000 lines is checked, with a finding on each rule too", () => {
  const rules = Array.from(
    { length: 2_500 },
    (_, at) =>
      `  r${at}:\n    priority: ${at % 1_000}\n    conditions: [{type: equals, field: text, value: ${at}}]\n    actions: [{type: skip}]\n`,
  );
  expect(checkPolicyText(`rules:\n${rules.join("")}`, { file: "p" })).toEqual([]);
  const wrong = `rules:\n${rules.join("").replaceAll("equals", "equal")}`;
  expect(checkPolicyText(wrong, { file: "p" })).toHaveLength(2_500);
});
