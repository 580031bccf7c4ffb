import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRuleset,
  Decider,
  type PolicyEvent,
  type PolicyRule,
  SqliteCounters,
} from "@holdfast/policy";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-policy-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (): string => join(folder, "policy.db");
const decider = (...rules: PolicyRule[]): Decider =>
  new Decider(createRuleset(rules), { countersFile: file() });

let made = 0;
const event = (at: number, more: Partial<PolicyEvent> = {}): PolicyEvent => ({
  id: `event ${(made += 1)}`,
  type: "t",
  at,
  scope: {},
  ...more,
});

const rule = (more: Partial<PolicyRule>): PolicyRule => ({
  name: "limited",
  conditions: [{ type: "always" }],
  actions: [{ type: "log_event" }],
  ...more,
});
const acted = (of: Decider, on: PolicyEvent): boolean => of.decide(on).effects.length > 0;

test("max_executions counts over restarts", () => {
  const limits = rule({ max_executions: 2 });
  for (const expected of [true, true, false, false]) {
    using one = decider(limits);
    expect(acted(one, event(0))).toBe(expected);
  }
  using one = decider(limits);
  const { trace } = one.decide(event(0));
  expect(trace).toMatchObject([
    { outcome: "blocked", blockedBy: "max_executions", why: "it has acted 2 times of 2" },
  ]);
});

test("cooldown_period holds a rule back after it has acted", () => {
  using one = decider(rule({ cooldown_period: 60 }));
  expect(acted(one, event(1_000_000))).toBe(true);
  const { trace } = one.decide(event(1_030_000));
  expect(trace).toMatchObject([{ blockedBy: "cooldown", why: "it cools down for 30 s more" }]);
  expect(acted(one, event(1_059_999))).toBe(false);
  expect(acted(one, event(1_060_000))).toBe(true);
});

test("a clock that was set back makes no cooldown_period last until it has caught up", () => {
  using one = decider(rule({ cooldown_period: 60 }));
  expect(acted(one, event(1_000_000))).toBe(true);
  // A second or so, as clocks are corrected all the time, lets nobody act twice.
  expect(acted(one, event(999_000))).toBe(false);
  expect(acted(one, event(500_000))).toBe(true);
  expect(acted(one, event(559_999))).toBe(false);
  expect(acted(one, event(560_000))).toBe(true);
});

describe("rate_limit", () => {
  const limited = (negate: boolean, more: Partial<PolicyRule> = {}): PolicyRule =>
    rule({
      conditions: [{ type: "rate_limit", rate_limit: 2, time_window: 10, negate }],
      ...more,
    });

  test("holds while there is room in the window", () => {
    using one = decider(limited(false));
    const at = [0, 1_000, 2_000, 9_999, 10_000, 10_500, 11_000].map((ms) => acted(one, event(ms)));
    expect(at).toEqual([true, true, false, false, true, false, true]);
  });

  test("takes no longer than its window when the clock was set back", () => {
    using one = decider(limited(false));
    const at = [100_000, 101_000, 99_000, 50_000, 51_000, 52_000, 60_000];
    expect(at.map((ms) => acted(one, event(ms)))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
    ]);
  });

  test("negated, it holds when there is none: what is too much can be stopped", () => {
    using one = decider(limited(true));
    expect([0, 1, 2, 3].map((ms) => acted(one, event(ms)))).toEqual([false, false, true, true]);
  });

  test("takes only of what depends on it, wherever it is written", () => {
    using one = decider(
      rule({
        conditions: [
          { type: "rate_limit", rate_limit: 1, time_window: 10 },
          { type: "equals", field: "text", value: "yes" },
        ],
      }),
    );
    for (let times = 0; times < 5; times += 1)
      expect(acted(one, event(0, { text: "no" }))).toBe(false);
    expect(acted(one, event(0, { text: "yes" }))).toBe(true);
    expect(acted(one, event(0, { text: "yes" }))).toBe(false);
  });

  test("counts for each session apart in a rule of that scope", () => {
    using one = decider(limited(false, { scope: "session" }));
    const of = (session: string): boolean => acted(one, event(0, { scope: { session } }));
    expect(["a", "a", "b", "a", "b", "b"].map(of)).toEqual([true, true, true, false, true, false]);
  });
});

test("an event that comes again is the same use of every limit", () => {
  using one = decider(
    rule({
      max_executions: 1,
      cooldown_period: 60,
      conditions: [{ type: "rate_limit", rate_limit: 1, time_window: 60 }],
    }),
  );
  const first = event(0);
  expect([first, first, event(0), first].map((each) => acted(one, each))).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

test("what cannot be counted allows, and the trace says so", () => {
  writeFileSync(
    file(),
    "this is no database, and it is longer than a header of one would be".repeat(99),
  );
  using one = decider(
    rule({
      max_executions: 1,
      conditions: [{ type: "rate_limit", rate_limit: 1, time_window: 60 }],
    }),
  );
  for (let times = 0; times < 3; times += 1) {
    const { effects, trace } = one.decide(event(0));
    expect(effects).toHaveLength(1);
    expect(trace).toMatchObject([
      {
        outcome: "matched",
        notes: [
          "its limits could not be counted, so it went on",
          "conditions[0] could not be counted, so it allowed",
        ],
      },
    ]);
    expect(one.fault?.code).toBe("SQLITE_CORRUPT");
  }
});

test("rules without limits touch no file", () => {
  using one = new Decider(createRuleset([rule({})]), {
    countersFile: "/dev/null/nowhere/policy.db",
  });
  expect(acted(one, event(0))).toBe(true);
  expect(one.fault).toBeUndefined();
});

test("what a rule has used can be forgotten", () => {
  const limits = rule({ max_executions: 1 });
  using one = decider(limits);
  expect([acted(one, event(0)), acted(one, event(0))]).toEqual([true, false]);
  using counters = SqliteCounters.open(file());
  counters.forget("limited");
  expect(acted(one, event(0))).toBe(true);
});

test("the file stays as large as what is in force", () => {
  using one = decider(
    rule({ conditions: [{ type: "rate_limit", rate_limit: 1_000, time_window: 1 }] }),
  );
  const day = 24 * 3_600_000;
  for (let hour = 0; hour < 24 * 20; hour += 1) one.decide(event((hour * day) / 24));
  using counters = SqliteCounters.open(file());
  expect(counters.usesBetween("limited", "conditions[0]", "", 0, Date.now() + 1)).toBeLessThan(60);
});
