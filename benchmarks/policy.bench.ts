// What deciding on one event costs: among few rules and among many, of which ten apply; when no
// index helps; with a limit that processes share. Rounds are interleaved.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRuleset,
  Decider,
  evaluate,
  type PolicyEvent,
  type PolicyRule,
  type Ruleset,
} from "@holdfast/policy";
import { report, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const ROUNDS = 31;
const CALLS = 200;
const APPLYING = 10;

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const event: PolicyEvent = {
  id: "0199",
  type: "memory.add",
  at: Date.UTC(2026, 10, 22, 12),
  scope: { user: "ada" },
  text: "The build of the website needs Node 24, and it fails on anything older than that.",
  tags: ["build"],
  metadata: { kind: "kind 0", size: 17 },
};

try {
  report(measured());
} finally {
  rmSync(folder, { recursive: true });
}

function measured(): Result[] {
  const began = performance.now();
  const many = createRuleset(rules(10_000));
  const prepareMs = performance.now() - began;
  const few = createRuleset(rules(100));
  const unindexed = createRuleset(rules(100).map(withoutIndex));
  const none = createRuleset([]);
  using limited = new Decider(createRuleset([limit()]), {
    countersFile: join(folder, "policy.db"),
  });
  let made = 0;
  const micros = medians({
    few: () => decide(few),
    many: () => decide(many),
    unindexed: () => decide(unindexed),
    none: () => decide(none),
    limited: () => {
      made += 1;
      limited.decide({ ...event, id: `event ${made}`, at: event.at + made * 1_000 });
    },
  });
  const goal = { atMost: 50 };
  return [
    { subject: "policy: among 100 rules, ten apply", value: micros("few"), unit: "µs", goal },
    {
      subject: "policy: 10,000 rules / 100, ten apply",
      value: micros("many") / micros("few"),
      unit: "×",
      goal: { atMost: 3 },
      detail: `prepared in ${Math.round(prepareMs)} ms`,
    },
    {
      subject: "policy: 100 rules that all have to be asked, a pattern each",
      value: micros("unindexed"),
      unit: "µs",
      goal,
    },
    { subject: "policy: no rules", value: micros("none"), unit: "µs" },
    {
      subject: "policy: one rule with a limit that processes share",
      value: micros("limited"),
      unit: "µs",
    },
  ];
}

/** Each for one kind of memory; the first ten for the event's. */
function rules(count: number): PolicyRule[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `rule ${at}`,
    priority: at % 1_000,
    conditions: [
      { type: "equals", field: "type", value: "memory.add" },
      { type: "equals", field: "metadata.kind", value: `kind ${at < APPLYING ? 0 : at}` },
      { type: "greater_than", field: "metadata.size", value: 10 },
    ],
    actions: [{ type: "add_tag", parameters: { tag: "seen" } }],
  }));
}

/** The same, in a form that says of no event beforehand that it cannot match. */
function withoutIndex(rule: PolicyRule): PolicyRule {
  const pattern = `node (\\d+)${rule.name.slice(5)}?`;
  return {
    ...rule,
    conditions: [
      { type: "not_equals", field: "metadata.kind", value: rule.name },
      { type: "matches_regex", field: "text", regex_pattern: pattern },
    ],
  };
}

function limit(): PolicyRule {
  return {
    name: "limit",
    conditions: [{ type: "rate_limit", rate_limit: 100, time_window: 60 }],
    actions: [{ type: "log_event" }],
  };
}

function decide(ruleset: Ruleset): void {
  evaluate(ruleset, event, { now: event.at, timezone: "UTC", seed: "", counters: undefined });
}

/** Median microseconds a call. */
function medians<T extends string>(cases: Record<T, () => void>): (name: T) => number {
  const samples = new Map<string, number[]>();
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const [name, call] of Object.entries<() => void>(cases)) {
      const started = performance.now();
      for (let at = 0; at < CALLS; at += 1) call();
      const micros = ((performance.now() - started) * 1_000) / CALLS;
      samples.set(name, [...(samples.get(name) ?? []), micros]);
    }
  }
  return (name) => median(samples.get(name) ?? []);
}
