import { copyFileSync, rmSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { listBackups, readManifest, verifyBackup } from "@holdfast/memory";
import { dataPathOf } from "../../src/backup/manifest.ts";
import { unavailable } from "../fixture.ts";
import { type BackupWorkspace, backupWorkspace, remembered } from "./backup-fixture.ts";

const ids = (space: BackupWorkspace): string[] => Object.keys(remembered(space.open())).toSorted();

async function made(space: BackupWorkspace, name: string, incremental = false): Promise<string> {
  const output = join(space.folder, `${name}.yaml`);
  const { kind } = await space.backups().backup({ output, incremental });
  expect(kind).toBe(incremental ? "incremental" : "full");
  return output;
}

async function restore(space: BackupWorkspace, path: string): Promise<void> {
  const backups = space.backups();
  await backups.restore(await backups.plan(path));
}

test("a plan says what would be added, changed and removed, and changes nothing", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.addMany(["same", "changed", "gone"].map((id) => ({ id, text: `${id} before` })));
  const path = await made(space, "b");
  await memory.update("changed", { text: "changed after" });
  await memory.add("new", { id: "new" });
  await memory.forget(["gone"]);
  const before = remembered(memory);
  const { difference } = await space.backups().plan(path);
  expect(difference).toMatchObject({
    added: 0,
    changed: 1,
    removed: 1,
    unchanged: 1,
    forgotten: 1,
    samples: {
      changed: [{ id: "changed", now: "changed after", after: "changed before" }],
      removed: [{ id: "new", now: "new", after: undefined }],
    },
  });
  expect(remembered(memory)).toEqual(before);
  expect((await space.store.listCollections()).map(({ name }) => name)).toEqual(["memories"]);
});

test("a restore can be undone, and that undone again", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.addMany(["a", "b"].map((id) => ({ id, text: `${id} before` })));
  const path = await made(space, "b");
  const before = remembered(memory);
  await memory.update("a", { text: "a after" });
  await memory.add("c", { id: "c" });
  const after = remembered(memory);
  await restore(space, path);
  expect(remembered(memory)).toEqual(before);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2, foreign: 0 });
  const backups = space.backups();
  const plan = backups.planUndo();
  expect(plan.difference).toMatchObject({ added: 1, changed: 1, removed: 0, unchanged: 1 });
  await backups.undo(plan);
  expect(remembered(memory)).toEqual(after);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 3, foreign: 0 });
  await backups.undo(backups.planUndo());
  expect(remembered(memory)).toEqual(before);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2 });
  expect(memory.status().ledger.residual).toBe(0);
  await memory.update("a", { text: "and on" });
  expect((await memory.get("a")).memory?.text).toBe("and on");
  expect(await memory.compare()).toMatchObject({ equal: true });
});

test("what was forgotten after the backup stays forgotten: restored, undone and to a time", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  const texts = ["early", "again", "late", "stays"];
  await memory.addMany(texts.map((id) => ({ id, text: `secret ${id}` })));
  const path = await made(space, "b");
  await memory.forget(["early", "again"]);
  // The same id in use again does not make the old text less forgotten.
  await memory.add("quite another", { id: "again" });
  await restore(space, path);
  expect(ids(space)).toEqual(["late", "stays"]);
  await memory.forget(["late"]);
  const backups = space.backups();
  await backups.undo(backups.planUndo());
  expect(ids(space)).toEqual(["again", "stays"]);
  expect((await memory.get("again")).memory?.text).toBe("quite another");
  expect([...space.store.raw("memories").records.keys()].toSorted()).toEqual(["again", "stays"]);
  await restore(space, path);
  expect(ids(space)).toEqual(["stays"]);
});

test("a new machine learns from the newer backup what the older one must not bring back", async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  const memory = here.open();
  await memory.addMany(["kept", "gone"].map((id) => ({ id, text: id })));
  const older = await made(here, "older");
  await memory.forget(["gone"]);
  const newer = await made(here, "newer");
  await restore(there, newer);
  await restore(there, older);
  expect(ids(there)).toEqual(["kept"]);
});

test("what was forgotten comes back under no other name either", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.addMany(["kept", "gone"].map((id) => ({ id, text: id })));
  const path = await made(space, "b");
  await memory.forget(["gone"]);
  const beside = space.backups({}, { collection: "beside" });
  const plan = await beside.plan(path);
  expect(plan.difference).toMatchObject({ added: 1, forgotten: 1 });
  await beside.restore(plan);
  expect([...space.store.raw("beside").records.keys()]).toEqual(["kept"]);
  // Where it is restored to knows it from now on.
  const { path: later } = await beside.backup({ output: join(space.folder, "later.yaml") });
  await using there = backupWorkspace();
  await restore(there, later);
  await restore(there, path);
  expect(ids(there)).toEqual(["kept"]);
});

test("incremental backups carry what changed, and restore as one", async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  const memory = here.open();
  await memory.addMany(["a", "b", "c"].map((id) => ({ id, text: `${id}1` })));
  await made(here, "1");
  await memory.update("b", { text: "b2" });
  await memory.forget(["c"]);
  await made(here, "2", true);
  await memory.add("d1", { id: "d" });
  await memory.update("b", { text: "b3" });
  const path = await made(here, "3", true);
  const report = await here.backups().verify(path);
  expect(report).toMatchObject({ chain: 3, memories: 3, kind: "incremental" });
  await restore(there, path);
  expect(remembered(there.open())).toEqual(remembered(memory));
  // After a restore the next one is full again, and says why.
  await restore(here, path);
  const next = await here
    .backups()
    .backup({ output: join(here.folder, "4.yaml"), incremental: true });
  expect(next).toMatchObject({ kind: "full" });
  expect(next.fullBecause).toMatch(/restored/);
});

test.each([
  ["gone", (path: string): void => rmSync(path), 0],
  ["another one", (path: string): void => copyFileSync(join(dirname(path), "c.yaml"), path), 0],
  ["cut off", (path: string): void => truncateSync(dataPathOf(path, readManifest(path)), 3), 0],
  ["to be replaced", (): void => undefined, 1],
] as const)(
  "no increment is based on a chain of which a part is %s",
  async (_what, harm, isReplacing) => {
    await using space = backupWorkspace();
    const memory = space.open();
    await memory.add("one", { id: "a" });
    await made(space, "c");
    await memory.add("two", { id: "b" });
    const base = await made(space, "base");
    await memory.add("three", { id: "c" });
    const increment = await made(space, "increment", true);
    harm(base);
    const { backups: listed } = listBackups(space.folder);
    const said = listed.find(({ path }) => path === increment)?.damage;
    expect(said === undefined).toBe(isReplacing === 1);
    await memory.add("four", { id: "d" });
    const output = isReplacing ? base : join(space.folder, "next.yaml");
    const request = { output, incremental: true, overwrite: true };
    expect(await space.backups().backup(request)).toMatchObject({ memories: 4 });
    // It continues the one that is still whole.
    expect(await verifyBackup(output)).toMatchObject({ memories: 4, chain: 2 });
  },
);

test("what is written while a restore runs stays, on top", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.addMany(["a", "b"].map((id) => ({ id, text: `${id}1` })));
  const path = await made(space, "b");
  await memory.update("a", { text: "a2" });
  const backups = space.backups({
    failpoint: (name) => {
      if (name !== "compared") return;
      void memory.update("b", { text: "b meanwhile" }, { waitMs: 0 });
      void memory.add("c meanwhile", { id: "c", waitMs: 0 });
      void memory.forget(["a"], { waitMs: 0 });
    },
  });
  await backups.restore(await backups.plan(path));
  await memory.drain();
  expect(ids(space)).toEqual(["b", "c"]);
  expect((await memory.get("b")).memory?.text).toBe("b meanwhile");
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2, foreign: 0 });
  expect(memory.status().ledger.residual).toBe(0);
});

// They were taken for part of what was replaced, and removed.
test("writes since the plan that are no longer kept are not lost: it is refused", async () => {
  await using space = backupWorkspace();
  const memory = space.open({ outbox: { keptRecordsMax: 0 } });
  await memory.add("a1", { id: "a" });
  const path = await made(space, "b");
  const backups = space.backups();
  const plan = await backups.plan(path);
  await memory.add("since the plan", { id: "new" });
  await expect(backups.restore(plan)).rejects.toMatchObject({ code: "RESTORE_REFUSED" });
  expect(ids(space)).toEqual(["a", "new"]);
  await backups.restore(await backups.plan(path));
  const undo = backups.planUndo();
  await memory.add("since that plan", { id: "newer" });
  await expect(backups.undo(undo)).rejects.toMatchObject({ code: "RESTORE_REFUSED" });
  expect(ids(space)).toEqual(["a", "newer"]);
  await backups.undo(backups.planUndo());
  expect(ids(space)).toEqual(["a", "new"]);
});

test("writes that still waited for the store when it was restored are part of the undo", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("a1", { id: "a" });
  const path = await made(space, "b");
  space.store.setFaults(({ operation }) => {
    if (operation === "upsert") throw unavailable();
  });
  await memory.add("queued", { id: "q", waitMs: 0 });
  space.store.setFaults(undefined);
  await restore(space, path);
  expect(ids(space)).toEqual(["a"]);
  expect(memory.status().ledger).toMatchObject({ queued: 0, discarded: 1, residual: 0 });
  const backups = space.backups();
  await backups.undo(backups.planUndo());
  expect(memory.status().ledger).toMatchObject({ queued: 1, residual: 0 });
  await memory.drain();
  expect(ids(space)).toEqual(["a", "q"]);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2 });
});

test("forgetting by filter reaches what a restore has replaced: undoing it brings nothing back", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("nothing special", { id: "a" });
  const path = await made(space, "b");
  await memory.add("ada's number is 4711", { id: "b", scope: { user: "ada" } });
  await restore(space, path);
  expect((await memory.forget({ scope: { user: "ada" } }, { dryRun: true })).ids).toEqual(["b"]);
  expect((await memory.forget({ scope: { user: "ada" } })).ids).toEqual(["b"]);
  const backups = space.backups();
  await backups.undo(backups.planUndo());
  expect(ids(space)).toEqual(["a"]);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 1, foreign: 0 });
});

test("forgetting by filter goes by what a memory says now, not by what was replaced", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("of nobody", { id: "a" });
  const path = await made(space, "b");
  await memory.update("a", { tags: ["draft"] });
  await restore(space, path);
  expect((await memory.forget({ tags: ["draft"] })).ids).toEqual([]);
  expect(ids(space)).toEqual(["a"]);
});
