import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  createRuleset,
  evaluate,
  EventRecorder,
  type PolicyEvent,
  type PolicyRule,
  readRecordedEvents,
  replay,
} from "@holdfast/policy";

const ABORTING: PolicyRule = {
  name: "no-secrets",
  conditions: [{ type: "contains", field: "text", value: "secret" }],
  actions: [{ type: "abort" }],
};
const TAGGING: PolicyRule = {
  name: "tag",
  conditions: [{ type: "always" }],
  actions: [{ type: "add_tag", parameters: { tag: "x" } }],
};
const START = Date.UTC(2026, 0, 1);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-replay-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function recordAll(
  recorder: EventRecorder,
  rules: readonly PolicyRule[],
  texts: readonly string[],
): void {
  const ruleset = createRuleset(rules);
  for (const [index, text] of texts.entries()) {
    const now = START + index * 1_000;
    const event: PolicyEvent = { id: `e-${index}`, type: "memory.add", at: now, scope: {}, text };
    const options = { now, timezone: "UTC", seed: "s" };
    recorder.record(event, evaluate(ruleset, event, { ...options, counters: undefined }), options);
  }
}

test("events are kept with what was decided, the last ones only, for their owner only", () => {
  const path = join(folder, "events.db");
  using recorder = new EventRecorder({ path, eventsMax: 3 });
  recordAll(recorder, [ABORTING, TAGGING], ["a", "b", "c", "secret", "d".repeat(70_000), "e"]);
  const records = readRecordedEvents(path, 0);
  expect(recorder.fault).toBeUndefined();
  expect(records.map(({ event, decision }) => [event.text, decision])).toEqual([
    ["c", { kind: "allow", effects: [{ rule: "tag", type: "add_tag", parameters: { tag: "x" } }] }],
    ["secret", { kind: "abort", rule: "no-secrets", effects: [] }],
    ["e", { kind: "allow", effects: [{ rule: "tag", type: "add_tag", parameters: { tag: "x" } }] }],
  ]);
  expect(records.map(({ now, timezone, seed }) => [now, timezone, seed])[0]).toEqual([
    START + 2_000,
    "UTC",
    "s",
  ]);
  expect(readRecordedEvents(path, START + 5_000)).toHaveLength(1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file that cannot be written hinders no decision, and is told", () => {
  using recorder = new EventRecorder({ path: folder, eventsMax: 3 });
  recordAll(recorder, [TAGGING], ["a"]);
  expect(recorder.fault).toBeDefined();
});

test("a replay names the events that edited rules decide differently, and no others", () => {
  const path = join(folder, "events.db");
  using recorder = new EventRecorder({ path, eventsMax: 100 });
  recordAll(recorder, [ABORTING, TAGGING], ["a", "my secret", "a SECRET"]);
  const records = readRecordedEvents(path, 0);
  const texts = (rules: readonly PolicyRule[]): (string | undefined)[] =>
    replay(records, createRuleset(rules)).changed.map(({ recorded }) => recorded.event.text);
  expect(texts([ABORTING, TAGGING])).toEqual([]);
  const renamed = { ...TAGGING, name: "other", description: "by another name the same is done" };
  expect(texts([ABORTING, renamed])).toEqual([]);
  const insensitive: PolicyRule = {
    ...ABORTING,
    conditions: [{ type: "matches_regex", field: "text", regex_pattern: "(?i)secret" }],
  };
  expect(texts([insensitive, TAGGING])).toEqual(["a SECRET"]);
  expect(texts([ABORTING])).toEqual(["a", "a SECRET"]);
});

test("limits are counted over the records, at their times", () => {
  const path = join(folder, "events.db");
  using recorder = new EventRecorder({ path, eventsMax: 100 });
  recordAll(recorder, [TAGGING], ["0", "1", "2", "3", "4"]);
  const { events, changed } = replay(
    readRecordedEvents(path, 0),
    createRuleset([{ ...TAGGING, cooldown_period: 2 }]),
  );
  expect(events).toBe(5);
  expect(changed.map(({ recorded, limited }) => [recorded.event.text, limited])).toEqual([
    ["1", true],
    ["3", true],
  ]);
});
