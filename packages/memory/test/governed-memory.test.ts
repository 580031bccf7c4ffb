import { expect, test } from "@jest/globals";
import { join } from "node:path";
import { ARCHIVED_TAG, governedMemory } from "@holdfast/memory/policy";
import type { Memory } from "@holdfast/memory";
import {
  type Action,
  createRuleset,
  Decider,
  type EffectReport,
  type PolicyRule,
} from "@holdfast/policy";
import { workspace, type Workspace } from "./fixture.ts";

interface Governed {
  memory: Memory;
  reports: EffectReport[];
  outward: { type: string; parameters: unknown }[];
}

function govern(space: Workspace, rules: readonly PolicyRule[]): Governed {
  const reports: EffectReport[] = [];
  const outward: Governed["outward"] = [];
  const note = (type: string) => (parameters: unknown) => {
    outward.push({ type, parameters });
    return Promise.resolve();
  };
  const memory = governedMemory(space.open(), {
    decider: new Decider(createRuleset(rules), {
      countersFile: join(space.directory, "policy.db"),
    }),
    outward: {
      trigger_alert: note("trigger_alert"),
      log_event: note("log_event"),
      execute_webhook: note("execute_webhook"),
    },
    onReport: (report) => reports.push(report),
  });
  return { memory, reports, outward };
}

const on = (type: string, ...actions: Action[]): PolicyRule => ({
  name: `on ${type}`,
  conditions: [{ type: "equals", field: "type", value: type }],
  actions,
});

test("what a rule aborts is not stored, and what came before the abort is done", async () => {
  await using space = workspace();
  const { memory, outward } = govern(space, [
    {
      name: "no secrets",
      conditions: [{ type: "contains", field: "text", value: "secret" }],
      actions: [
        { type: "add_tag", parameters: { tag: "moot" } },
        { type: "log_event", parameters: { message: "refused" } },
        { type: "abort", parameters: { reason: "keep it elsewhere" } },
        { type: "log_event", parameters: { message: "never" } },
      ],
    },
  ]);
  await expect(memory.add("a secret")).rejects.toMatchObject({
    code: "POLICY_ABORTED",
    message: "The policy no secrets stopped this memory.add: keep it elsewhere",
  });
  await expect(memory.addMany([{ text: "open" }, { text: "secret" }])).rejects.toMatchObject({
    code: "POLICY_ABORTED",
  });
  expect(memory.list()).toMatchObject({ total: 0 });
  expect(outward.map(({ parameters }) => parameters)).toEqual([
    { message: "refused" },
    { message: "refused" },
  ]);
  const { id } = await memory.add("open");
  await expect(memory.update(id, { text: "secret" })).rejects.toMatchObject({
    code: "POLICY_ABORTED",
  });
  await expect(memory.search("secret")).rejects.toMatchObject({ code: "POLICY_ABORTED" });
  expect((await memory.get(id)).memory?.text).toBe("open");
});

test("changes to the memory that is added are part of its one write", async () => {
  await using space = workspace();
  const { memory, reports } = govern(space, [
    on(
      "memory.add",
      { type: "add_tag", parameters: { tag: "seen" } },
      { type: "remove_tag", parameters: { tag: "draft" } },
      { type: "set_quality_score", parameters: { score: 0.8 } },
      { type: "update_memory", parameters: { metadata: { by: "policy", was: "{{text}}" } } },
    ),
  ]);
  const receipt = await memory.add("tea", { tags: ["draft"], metadata: { by: "me" } });
  expect(receipt).toMatchObject({ revision: 1, durability: "stored" });
  const { memory: record } = await memory.get(receipt.id);
  expect(record).toMatchObject({
    tags: ["seen"],
    metadata: { by: "policy", was: "tea", quality_score: 0.8 },
  });
  expect(reports.map(({ outcome }) => outcome)).toEqual(["done", "done", "done", "done"]);
});

test("an archived memory is kept and no longer recalled, unless it is asked for", async () => {
  await using space = workspace();
  const { memory } = govern(space, [
    {
      name: "old news",
      conditions: [{ type: "contains", field: "tags", value: "news" }],
      actions: [{ type: "archive_memory" }],
    },
  ]);
  const { id } = await memory.add("green tea", { tags: ["news"] });
  await memory.add("green tea is fine");
  const texts = async (tags?: string[]): Promise<string[]> => {
    const { hits } = await memory.search("green tea", tags === undefined ? {} : { tags });
    return hits.map(({ text }) => text);
  };
  expect(await texts()).toEqual(["green tea is fine"]);
  expect(await texts([ARCHIVED_TAG])).toEqual(["green tea"]);
  expect((await memory.get(id)).memory?.metadata["archived_at"]).toEqual(expect.any(Number));
});

test("actions on other memories follow the write", async () => {
  await using space = workspace();
  const { memory, reports } = govern(space, [
    on(
      "memory.add",
      {
        type: "create_memory",
        parameters: {
          text: "noted: {{text}}",
          tags: ["note"],
          metadata: { of: "{{context.memory_id}}" },
        },
      },
      { type: "add_tag", parameters: { tag: "linked", id: "anchor" } },
      { type: "delete_memory", parameters: { id: "old" } },
      { type: "recall_memory", parameters: { limit: 1 } },
      { type: "add_tag", parameters: { tag: "late" }, async_execution: true },
    ),
    on("memory.search", { type: "delete_memory" }),
  ]);
  const bare = space.open();
  await bare.addMany([
    { text: "the anchor", id: "anchor" },
    { text: "old", id: "old" },
  ]);
  const { id } = await memory.add("tea", { scope: { user: "ada" } });
  expect(memory.list({ tags: ["note"] }).memories).toMatchObject([
    { text: "noted: tea", metadata: { of: id }, scope: { user: "ada" } },
  ]);
  expect((await memory.get("anchor")).memory?.tags).toEqual(["linked"]);
  expect((await memory.get("old")).memory).toBeUndefined();
  const recalled = reports.find(({ type }) => type === "recall_memory");
  // The memory that it is about is no answer.
  expect(recalled?.result).toMatchObject({ query: "tea", hits: [{ text: "noted: tea" }] });
  await memory.search("x");
  expect(reports.at(-1)).toMatchObject({
    outcome: "failed",
    error: { code: "POLICY_ACTION_FAILED" },
  });
  await memory.close();
  expect((await bare.get(id)).memory?.tags).toEqual(["late"]);
});

test("an action that fails leaves the write as it is, and is told of", async () => {
  await using space = workspace();
  const { memory, reports } = govern(space, [
    on("memory.add", { type: "update_memory", parameters: { text: "{{metadata.absent}}" } }),
  ]);
  const { id } = await memory.add("tea");
  expect((await memory.get(id)).memory?.text).toBe("tea");
  expect(reports).toMatchObject([{ outcome: "failed", rule: "on memory.add" }]);
});

test("updates and forgetting are decided on too", async () => {
  await using space = workspace();
  const { memory } = govern(space, [
    on("memory.update", { type: "add_tag", parameters: { tag: "edited" } }),
    {
      name: "keep the law",
      conditions: [
        { type: "equals", field: "type", value: "memory.forget" },
        { type: "equals", field: "scope.user", value: "ada" },
      ],
      actions: [{ type: "abort" }],
    },
  ]);
  await memory.add("tea", { id: "law", tags: ["a"], scope: { user: "ada" } });
  await memory.update("law", { text: "more tea" });
  expect((await memory.get("law")).memory).toMatchObject({
    text: "more tea",
    tags: ["a", "edited"],
  });
  await expect(memory.forget(["law"])).rejects.toMatchObject({ code: "POLICY_ABORTED" });
  await expect(memory.forget({ tags: ["a"] })).rejects.toMatchObject({ code: "POLICY_ABORTED" });
  expect(await memory.forget(["law"], { dryRun: true })).toMatchObject({ ids: ["law"] });
  await expect(memory.update("none", { text: "x" })).rejects.toMatchObject({
    code: "MEMORY_NOT_FOUND",
  });
});

test("of many that are forgotten, each is decided on before any is", async () => {
  await using space = workspace();
  const { memory, reports } = govern(space, [
    {
      name: "keep the law",
      priority: 1,
      conditions: [
        { type: "equals", field: "type", value: "memory.forget" },
        { type: "equals", field: "metadata.kind", value: "law" },
      ],
      actions: [{ type: "abort" }],
    },
    on("memory.forget", { type: "log_event" }),
  ]);
  const items = Array.from({ length: 30 }, (_, at) => ({ text: `text ${at}`, tags: ["many"] }));
  await memory.addMany([...items, { text: "law", tags: ["many"], metadata: { kind: "law" } }]);
  await expect(memory.forget({ tags: ["many"] })).rejects.toMatchObject({ code: "POLICY_ABORTED" });
  expect(memory.list().total).toBe(31);
  const { memories } = memory.list({ limit: 31 });
  const others = memories.filter(({ text }) => text !== "law").map(({ id }) => id);
  reports.length = 0;
  expect((await memory.forget([...others, "unknown"])).ids).toHaveLength(30);
  expect(reports.filter(({ outcome }) => outcome === "done")).toHaveLength(30);
});
