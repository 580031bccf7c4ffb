// Rules in a text that people can read, and the engine that decides on them. It is pure: what is to
// be done comes back as effects, for you to run, and every decision says why. No memory needed.
import { createRuleset, evaluate, lintRules, parsePolicyText } from "@holdfast/policy";

const text = `
rules:
  no-drafts:
    priority: 100
    conditions: [{ type: contains, field: text, value: DRAFT }]
    actions: [{ type: abort }]
  tag-failed-builds:
    conditions:
      - { type: equals, field: type, value: command }
      - { type: greater_than, field: context.exitCode, value: 0 }
    actions: [{ type: add_tag, parameters: { tag: failed } }]
  never-runs:
    conditions:
      - { type: equals, field: source, value: make }
      - { type: equals, field: source, value: npm }
    actions: [{ type: log_event, parameters: { message: seen } }]
`;

const { rules, findings } = parsePolicyText(text, { file: "rules.yaml" });
for (const { line, message } of findings) console.log(`rules.yaml:${line}: ${message}`);
const ruleset = createRuleset(rules);

const events = [
  { type: "command", text: "make test", context: { exitCode: 2 } },
  { type: "command", text: "DRAFT of a letter", context: { exitCode: 0 } },
];
for (const [at, event] of events.entries()) {
  const { decision, effects, trace } = evaluate(
    ruleset,
    { id: String(at), at: Date.UTC(2026, 0, 1), scope: {}, ...event },
    { now: Date.UTC(2026, 0, 1), timezone: "UTC", seed: "example", counters: undefined },
  );
  console.log(`${event.text}: ${decision.kind}, ${trace.map(({ rule }) => rule).join(", ")}`);
  for (const { action } of effects) console.log(`  do: ${action.type}`);
}

for (const { kind, rule } of lintRules(rules).findings) console.log(`lint: ${rule} is ${kind}`);

// Prints:
// make test: allow, tag-failed-builds
//   do: add_tag
// DRAFT of a letter: abort, no-drafts
// lint: never-runs is unsatisfiable
