import { expect, test } from "@jest/globals";
import { TriggerService } from "@holdfast/memory";
import { governedMemory } from "@holdfast/memory/policy";
import { createRuleset, evaluate, type PolicyEvent } from "@holdfast/policy";
import { workspace } from "../fixture.ts";

const RULES = [
  {
    name: "no-status",
    conditions: [
      { type: "equals", field: "type", value: "command" },
      { type: "contains", field: "text", value: "memory status" },
    ],
    actions: [{ type: "abort" }],
  },
  {
    name: "mark-errors",
    conditions: [{ type: "equals", field: "type", value: "error" }],
    actions: [{ type: "add_tag", parameters: { tag: "look-here" } }],
  },
  {
    name: "nothing-by-hand",
    conditions: [{ type: "equals", field: "type", value: "memory.add" }],
    actions: [{ type: "abort" }],
  },
] as const;

test("policies decide on what a trigger raised by its own type, and not as an add", async () => {
  await using space = workspace();
  const ruleset = createRuleset(RULES as never);
  const unused = (): Promise<never> => Promise.reject(new Error("no such action here"));
  const memory = governedMemory(space.open({ waitMs: 0 }), {
    decider: {
      ruleset,
      decide: (event: PolicyEvent) =>
        evaluate(ruleset, event, { now: event.at, timezone: "UTC", seed: "", counters: undefined }),
    },
    outward: { trigger_alert: unused, log_event: unused, execute_webhook: unused },
    onReport: () => undefined,
  });
  const triggers = new TriggerService({}, { memory });
  triggers.raise({ type: "command", text: "holdfast memory status" });
  triggers.raise({ type: "command", text: "holdfast memory list" });
  triggers.raise({ type: "error", text: "it broke" });
  await triggers.flush();
  expect(memory.list().memories.toReversed()).toMatchObject([
    { text: "holdfast memory list", tags: ["command"] },
    { text: "it broke", tags: ["error", "look-here"] },
  ]);
  expect(triggers.status()).toMatchObject({ captured: 2, declined: 1, failed: 0 });
  await expect(memory.add("by hand")).rejects.toMatchObject({ code: "POLICY_ABORTED" });
});
