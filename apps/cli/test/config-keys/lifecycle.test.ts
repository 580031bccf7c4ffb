import { expect } from "@jest/globals";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, keyTests } from "./key-tests.ts";

/** Which memories go when what is older than a moment goes. */
async function pruned(bench: Bench, lifecycle: string): Promise<string[]> {
  bench.configureDead(`outbox: {wait: 0}\nlifecycle: {${lifecycle}}`);
  await bench.run("memory", "add", "a note", "--id", "note", "--meta", "category=note");
  await bench.run("memory", "add", "tagged", "--id", "tagged", "--tag", "scratch");
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { json } = await bench.run("memory", "prune", "--yes");
  return (json.data.sample as string[]).toSorted();
}

keyTests("lifecycle", {
  default: async (bench) => {
    expect(await pruned(bench, "")).toEqual([]);
    expect(await pruned(bench, "default: 1ms")).toEqual(["note", "tagged"]);
  },
  "rules[].category": async (bench) => {
    expect(await pruned(bench, "rules: [{category: note, ttl: 1ms}]")).toEqual(["note"]);
  },
  "rules[].tag": async (bench) => {
    expect(await pruned(bench, "rules: [{tag: scratch, ttl: 1ms}]")).toEqual(["tagged"]);
  },
  "rules[].ttl": async (bench) => {
    const rules = "default: 1ms, rules: [{tag: scratch, ttl: never}]";
    expect(await pruned(bench, rules)).toEqual(["note"]);
  },
  archive: async (bench) => {
    expect(await pruned(bench, "default: 1ms, archive: old")).toEqual(["note", "tagged"]);
    expect(readdirSync(join(bench.folder, "old"))).toHaveLength(1);
  },
});
