import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import { type BackupFailpoint, listBackups, type Memory } from "@holdfast/memory";
import { Database, SqliteError } from "@holdfast/sqlite";
import { unavailable } from "../fixture.ts";
import { type BackupWorkspace, backupWorkspace, remembered } from "./backup-fixture.ts";

class Crash extends Error {}

const crashAt = (point: BackupFailpoint) => (name: BackupFailpoint) => {
  if (name === point) throw new Crash(point);
};

/** 700 of the backup, then changed: two batches in the store. */
async function scene(space: BackupWorkspace): Promise<{ memory: Memory; path: string }> {
  const memory = space.open();
  const items = Array.from({ length: 700 }, (_, n) => ({ id: `m${n}`, text: `before ${n}` }));
  await memory.addMany(items);
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({ output: path });
  await memory.update("m1", { text: "after 1" });
  await memory.add("new", { id: "new" });
  return { memory, path };
}

test.each<BackupFailpoint>(["data-written", "manifest-written", "data-in-place"])(
  "a backup that dies at %s leaves none, and nothing in the way of the next",
  async (point) => {
    await using space = backupWorkspace();
    await space.open().add("one");
    const output = join(space.folder, "b.yaml");
    const dying = space.backups({ failpoint: crashAt(point) });
    await expect(dying.backup({ output })).rejects.toBeInstanceOf(Crash);
    expect(listBackups(space.folder).backups).toEqual([]);
    const made = await space.backups().backup({ output });
    expect(listBackups(space.folder).backups).toMatchObject([{ id: made.id, damage: undefined }]);
    expect(readdirSync(space.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
  },
);

// It kept the folder for itself: from the second time on another backup was said to be under way.
test("a folder that cannot be cleared says so each time, and names itself", async () => {
  await using space = backupWorkspace();
  await space.open().add("one");
  mkdirSync(join(space.folder, ".a.holdfast-unfinished"));
  const backups = space.backups();
  for (let n = 0; n < 2; n += 1) {
    await expect(backups.backup({ output: join(space.folder, "b.yaml") })).rejects.toMatchObject({
      code: "BACKUP_FAILED",
      message: expect.stringContaining(`${space.folder} cannot be written to`),
    });
  }
});

test("a backup that fails after its data was written leaves no data", async () => {
  await using space = backupWorkspace();
  await space.open().add("one");
  const full = new SqliteError("no space", { code: "SQLITE_FULL", path: "memory.db" });
  using _ = jest.spyOn(Database.prototype, "checkpoint").mockImplementation(() => {
    throw full;
  });
  const output = join(space.folder, "b.yaml");
  await expect(space.backups().backup({ output })).rejects.toMatchObject({ cause: full });
  expect(readdirSync(space.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
});

test("a backup that replaces another is the old or the new one, whenever it dies", async () => {
  for (const point of ["data-written", "data-in-place", "in-place"] as const) {
    await using space = backupWorkspace();
    const memory = space.open();
    await memory.add("one");
    const output = join(space.folder, "b.yaml");
    await space.backups().backup({ output });
    await memory.add("two");
    const dying = space.backups({ failpoint: crashAt(point) });
    await expect(dying.backup({ output, overwrite: true })).rejects.toBeInstanceOf(Crash);
    const { memories } = await space.backups().verify(output);
    expect(memories).toBe(point === "in-place" ? 2 : 1);
  }
});

test.each<[BackupFailpoint, boolean]>([
  ["store-half-filled", false],
  ["memories-staged", true],
  ["store-filled", true],
  ["compared", true],
])("a restore that dies at %s has changed nothing, and goes on: %s", async (point, resumed) => {
  await using space = backupWorkspace();
  const { memory, path } = await scene(space);
  const before = remembered(memory);
  const dying = space.backups({ failpoint: crashAt(point) });
  await expect(dying.restore(await dying.plan(path))).rejects.toBeInstanceOf(Crash);
  expect(remembered(memory)).toEqual(before);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 701, foreign: 0 });
  const backups = space.backups();
  const report = await backups.restore(await backups.plan(path));
  expect(report).toMatchObject({ memories: 700, resumed, pending: undefined });
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 700, foreign: 0 });
  const names = (await space.store.listCollections()).map(({ name }) => name);
  expect(names.filter((name) => name.includes("--restore-"))).toEqual([]);
});

test("after a write in between, a restore that was cut off begins anew", async () => {
  await using space = backupWorkspace();
  const { memory, path } = await scene(space);
  const dying = space.backups({ failpoint: crashAt("store-filled") });
  await expect(dying.restore(await dying.plan(path))).rejects.toBeInstanceOf(Crash);
  await memory.forget(["m7"]);
  const backups = space.backups();
  const report = await backups.restore(await backups.plan(path));
  expect(report).toMatchObject({ memories: 699, forgotten: 1, resumed: false });
  expect((await memory.get("m7")).memory).toBeUndefined();
});

test("a swap that was decided is finished by whoever comes next; until then the mirror answers", async () => {
  await using space = backupWorkspace();
  const { memory, path } = await scene(space);
  const dying = space.backups({ failpoint: crashAt("swap-decided") });
  await expect(dying.restore(await dying.plan(path))).rejects.toBeInstanceOf(Crash);
  // All of the new state, though the store still holds the old one under that name.
  const answer = await memory.search("after");
  expect(answer).toMatchObject({ degraded: true });
  expect(answer.reason).toMatch(/being replaced/);
  expect((await memory.get("m1")).memory?.text).toBe("before 1");
  expect((await memory.get("new")).memory).toBeUndefined();
  await memory.drain();
  expect((await memory.search("before 1")).degraded).toBe(false);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 700, foreign: 0 });
  const backups = space.backups();
  await backups.undo(backups.planUndo());
  expect((await memory.get("m1")).memory?.text).toBe("after 1");
});

test("a backup finishes a swap first: what the restore removed is no other program's", async () => {
  await using space = backupWorkspace();
  const { path } = await scene(space);
  const dying = space.backups({ failpoint: crashAt("swap-decided") });
  await expect(dying.restore(await dying.plan(path))).rejects.toBeInstanceOf(Crash);
  const output = join(space.folder, "next.yaml");
  space.store.setFaults(() => {
    throw unavailable();
  });
  const partial = await space.backups().backup({ output });
  expect(partial).toMatchObject({ memories: 700, others: 0 });
  expect(partial.partial).toMatch(/a restore is not finished there/);
  space.store.setFaults(undefined);
  const whole = await space.backups().backup({ output, overwrite: true });
  expect(whole).toMatchObject({ memories: 700, others: 0, partial: undefined });
});

test("half a swap of names is finished, too", async () => {
  await using space = backupWorkspace();
  const { memory, path } = await scene(space);
  let renames = 0;
  space.store.setFaults(({ operation }) => {
    if (operation === "renameCollection" && ++renames === 2) throw new Crash("between renames");
  });
  const dying = space.backups();
  const report = await dying.restore(await dying.plan(path));
  expect(report).toMatchObject({ memories: 700, pending: expect.any(String) });
  space.store.setFaults(undefined);
  expect((await space.store.listCollections()).map(({ name }) => name)).not.toContain("memories");
  expect(await memory.search("before 1")).toMatchObject({ degraded: true });
  await memory.drain();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 700, foreign: 0 });
});
