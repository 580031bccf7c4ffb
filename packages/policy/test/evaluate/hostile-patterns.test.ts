import { describe, expect, test } from "@jest/globals";
import { createRuleset, evaluate, type PolicyRule } from "@holdfast/policy";

const rule = (pattern: string): PolicyRule => ({
  name: "r",
  conditions: [{ type: "matches_regex", field: "text", regex_pattern: pattern }],
  actions: [{ type: "abort" }],
});

/** Each takes a backtracking engine longer than anybody waits. */
const HOSTILE: [pattern: string, text: string][] = [
  ["(a+)+$", `${"a".repeat(100_000)}!`],
  ["(a|aa)+$", `${"a".repeat(100_000)}!`],
  ["(a*)*b?$", `${"a".repeat(100_000)}!`],
  ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(100_000)],
  ["(?:a?){200}a{200}", "a".repeat(199)],
  ["(.*)(.*)(.*)(.*)(.*)[^a]$", "a".repeat(100_000)],
  ["([ab]*a[ab]{20}c?)$", "ab".repeat(50_000)],
  ["\\s+$", `${" ".repeat(100_000)}x`],
];

describe("a pattern's search ends, and soon", () => {
  test.each(HOSTILE)("%s", (pattern, text) => {
    const rules = createRuleset([rule(pattern)]);
    const event = { id: "e", type: "t", at: 0, scope: {}, text };
    const began = performance.now();
    evaluate(rules, event, { now: 0, timezone: "UTC", seed: "", counters: undefined });
    // It takes milliseconds; the rest is for a machine that is busy with something else.
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("what cannot be linear is refused when it is loaded", () => {
  test.each([
    ["(?=a)b", "lookaround is not supported"],
    ["a(?!b)", "lookaround is not supported"],
    ["(?<=a)b", "lookaround is not supported"],
    ["(?<!a)b", "lookaround is not supported"],
    ["(a)\\1", "backreferences are not supported"],
    ["(?<n>a)\\k<n>", "backreferences are not supported"],
    ["a(", "missing closing )"],
    ["x{1001}", "invalid repeat count"],
    ["(a{100}b){100}", "invalid repeat count"],
    ["(?:\\p{L}{50}|\\p{N}{50}){15}", "the pattern is too large"],
  ])("%s", (pattern, why) => {
    expect(() => createRuleset([rule(pattern)])).toThrow(why);
    expect(() => createRuleset([rule(pattern)])).toThrow(
      expect.objectContaining({ code: "POLICY_INVALID" }),
    );
  });
});
