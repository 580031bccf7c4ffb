import { expect, test } from "@jest/globals";
import {
  createRuleset,
  parseSuite,
  PolicyError,
  readEvent,
  runSuite,
  splitPolicyText,
  withoutRule,
} from "@holdfast/policy";
import * as fc from "fast-check";

const SUITE = `timezone: UTC
tests:
  - name: "errors are tagged once a minute"
    events:
      - event: {type: error, text: 'one', scope: {user: ada}, tags: [a, b], metadata: {size: 1}}
        expect: {matched: [always], effects: [log_event], decision: allow}
      - at: 59s
        event: {type: error, text: two}
        expect: {not_matched: [always]}
`;

const RULES = `# Rules
rules:
  always: # comment
    conditions: [{type: always}]
    actions:
      - {type: log_event}
  other:
    conditions: [{type: contains, field: text, value: "a"}]
    actions: [{type: abort}]
`;

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "-",
  "&a",
  "*a",
  "!",
  "|",
  ">",
  "#",
  "%",
  "'",
  '"',
].concat([
  " ",
  "\n",
  "\t",
  "\u0000",
  "\ud800",
  "<<: *a",
  "__proto__",
  "at: 1e999",
  "expect",
  "!!js/function",
]);

/** A text with a few pieces cut out or put in. */
const broken = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.nat(text.length), fc.nat(3), fc.constantFrom(...PIECES)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((edits) =>
      edits.reduce(
        (whole, [at, cut, piece]) => whole.slice(0, at) + piece + whole.slice(at + cut),
        text,
      ),
    );

test("thousands of broken suites are run, or refused with a reason", () => {
  const ruleset = createRuleset(splitPolicyText(RULES).map(({ rule }) => rule));
  fc.assert(
    fc.property(broken(SUITE), (text) => {
      const { suite, findings } = parseSuite(text, "s");
      const ran = suite === undefined ? [] : runSuite(suite, ruleset);
      expect({ refused: suite === undefined, tests: ran.length }).toEqual({
        refused: findings.length > 0,
        tests: suite?.tests.length ?? 0,
      });
    }),
    { numRuns: 3_000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("thousands of broken events are read, or refused with a reason", () => {
  const outcome = (text: string): unknown => {
    try {
      return readEvent(text, { file: "e", now: 0 });
    } catch (error) {
      return error;
    }
  };
  const event = JSON.stringify({
    type: "a",
    scope: { user: "b" },
    tags: ["c"],
    metadata: { d: 1 },
  });
  fc.assert(
    fc.property(broken(event), (text) => {
      const read = outcome(text);
      expect(read instanceof PolicyError || !(read instanceof Error)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test("thousands of broken documents are split into rules, or none, and none is lost by a cut", () => {
  fc.assert(
    fc.property(broken(RULES), (text) => {
      const names = splitPolicyText(text).map(({ rule }) => rule.name);
      const rest = withoutRule(text, "always") ?? text;
      const left = splitPolicyText(rest).map(({ rule }) => rule.name);
      const wanted = rest === text ? names : names.filter((name) => name !== "always");
      expect(left).toEqual(wanted);
    }),
    { numRuns: 3_000 },
  );
});
