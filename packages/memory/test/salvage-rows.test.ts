import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@jest/globals";
import type { Memory } from "@holdfast/memory";
import { unavailable, workspace, type Workspace } from "./fixture.ts";

const file = (space: Workspace): string => join(space.directory, "memory.db");

async function filled(space: Workspace): Promise<Memory> {
  const memory = space.open();
  const items = Array.from({ length: 20 }, (_, n) => ({ id: `m${n}`, text: `memory ${n}` }));
  await memory.addMany(items.map((item) => ({ ...item, tags: ["t"], metadata: { kind: "note" } })));
  await memory.forget(["m7"]);
  return memory;
}

/** Does to rows what bits that flip do, and makes an index's page garbage so that it is noticed. */
function harm(space: Workspace, sql: string): void {
  const db = new DatabaseSync(file(space));
  db.exec(sql);
  const page = db
    .prepare("SELECT rootpage AS n FROM sqlite_schema WHERE name = 'memory_newest'")
    .get() as { n: number };
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const descriptor = openSync(file(space), "r+");
  writeSync(descriptor, Buffer.alloc(4_096, 0x55), 0, 4_096, (page.n - 1) * 4_096);
  closeSync(descriptor);
  // As if a day had passed since it was last checked.
  rmSync(`${file(space)}.checked`, { force: true });
}

const GONE = "DELETE FROM memory WHERE id = 'm5'";

test.each([
  ["a text that says something else", "UPDATE memory SET text = 'nemory 5' WHERE id = 'm5'"],
  ["metadata that are cut", `UPDATE memory SET metadata = '{"kind' WHERE id = 'm5'`],
  ["tags that are no list", "UPDATE memory SET tags = '5' WHERE id = 'm5'"],
  ["keys that are no list", "UPDATE memory SET sent_keys = '5' WHERE id = 'm5'"],
  ["a time beyond all times", `UPDATE memory SET created_at = ${2n ** 62n} WHERE id = 'm5'`],
  ["a vector that is cut", "UPDATE vector SET vector = substr(vector, 1, 63)"],
  ["a write that is cut", `UPDATE entry SET payload = '{"text' WHERE id = 'm5'; ${GONE}`],
  ["a write that says nothing", `UPDATE entry SET payload = '5' WHERE id = 'm5'; ${GONE}`],
  [
    "a write without its tags",
    `UPDATE entry SET payload = replace(payload, 'tags', 'tbgs') WHERE id = 'm5'; ${GONE}`,
  ],
  ["a tombstone's keys that are cut", "UPDATE tombstone SET sent_keys = '['"],
  ["an embedder that is cut", "UPDATE collection SET embedder = '{'"],
  ["a form that is cut", "UPDATE collection SET form = '{'"],
  [
    "a restore's state that is cut",
    "INSERT INTO restore_state SELECT collection, 'staged', '{' FROM collection",
  ],
  [
    "a sync's counts that are cut",
    "INSERT INTO sync SELECT collection, 1, 1, NULL, '{' FROM collection",
  ],
])("a damaged file gives back no row with %s, and it comes from elsewhere", async (_what, sql) => {
  await using space = workspace();
  await (await filled(space)).close();
  harm(space, sql);
  const memory = space.open();
  expect(memory.status().salvaged).toBeDefined();
  await memory.drain();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 19, foreign: 0 });
  expect(memory.list({ tags: ["t"] }).total).toBe(19);
  expect(memory.status().salvaged?.lost).toEqual([]);
  expect((await memory.get("m5")).memory).toMatchObject({
    text: "memory 5",
    metadata: { kind: "note" },
  });
  await memory.close();
  expect(await space.open().update("m5", { text: "goes on" })).toMatchObject({
    durability: "stored",
  });
});

test("what a first salvage could not bring back a second one still names", async () => {
  await using space = workspace();
  const memory = await filled(space);
  space.store.setFaults(() => {
    throw unavailable();
  });
  await memory.add("never stored", { id: "first", waitMs: 0 });
  await memory.add("never stored either", { id: "second", waitMs: 0 });
  await memory.close();
  const lose = (id: string): string => `
    UPDATE entry SET payload = '{' WHERE id = '${id}';
    UPDATE memory SET text = 'x' WHERE id = '${id}'`;
  harm(space, lose("first"));
  const once = space.open();
  expect(once.status().salvaged?.lost).toEqual(["first"]);
  await once.close();
  harm(space, lose("second"));
  const twice = space.open();
  expect(twice.status().salvaged?.lost.toSorted()).toEqual(["first", "second"]);
  await twice.add("again", { id: "first", waitMs: 0 });
  await twice.close();
  harm(space, "SELECT 1");
  expect(space.open().status().salvaged?.lost).toEqual(["second"]);
});

test("a write of which nothing is left does not delete what the store holds of its memory", async () => {
  await using space = workspace();
  const memory = await filled(space);
  space.store.setFaults(() => {
    throw unavailable();
  });
  await memory.update("m5", { text: "never stored" }, { waitMs: 0 });
  await memory.close();
  space.store.setFaults(undefined);
  harm(space, `UPDATE entry SET payload = '{' WHERE id = 'm5'; UPDATE memory SET text = 'x'`);
  const next = space.open();
  await next.drain();
  expect((await next.get("m5")).memory?.text).toBe("memory 5");
  expect(next.status().ledger).toMatchObject({ queued: 0, residual: 1 });
});

const UNDONE: Record<number, string> = {
  5: "ALTER TABLE collection DROP COLUMN form",
  4: "DROP TRIGGER other_removed; DROP TABLE other; DROP TABLE sync",
  3: `DROP TRIGGER memory_added; DROP TRIGGER memory_changed; DROP TRIGGER memory_removed;
      DROP TRIGGER vector_added; DROP TABLE change; DROP TABLE lineage; DROP TABLE pruned;
      DROP TABLE forgotten; DROP TABLE restore_state; DROP TABLE backup`,
};

test.each([4, 3, 2])("a damaged file of version %i gives back all that it has", async (version) => {
  await using space = workspace();
  await (await filled(space)).close();
  const steps = Object.keys(UNDONE)
    .map(Number)
    .filter((from) => from > version);
  const sql = steps.toReversed().map((from) => UNDONE[from]);
  harm(space, [...sql, `PRAGMA user_version = ${version}`].join(";\n"));
  // All of it, without the store's help.
  space.store.setFaults(() => {
    throw unavailable();
  });
  const memory = space.open();
  expect(memory.status()).toMatchObject({ mirrored: 19, salvaged: { lost: [] } });
  expect(memory.list({ tags: ["t"] }).total).toBe(19);
  space.store.setFaults(undefined);
  await memory.drain();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 19, foreign: 0 });
});
