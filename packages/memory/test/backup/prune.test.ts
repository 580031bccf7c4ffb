import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { listBackups, pruneBackups } from "@holdfast/memory";
import { unavailable } from "../fixture.ts";
import { type BackupWorkspace, backupWorkspace } from "./backup-fixture.ts";

const ONLY_LAST = { last: 1, daily: 0, weekly: 0, monthly: 0 };

async function make(space: BackupWorkspace, names: string[], incremental = false): Promise<void> {
  for (const name of names) {
    await space.open().add(`before ${name}`);
    await space.backups().backup({ output: join(space.folder, `${name}.yaml`), incremental });
  }
}

const names = (space: BackupWorkspace): string[] =>
  readdirSync(space.folder)
    .filter((name) => name.endsWith(".yaml"))
    .toSorted();

test("prune keeps what is named, and says first what it would remove", async () => {
  await using space = backupWorkspace();
  await make(space, ["a", "b", "c"]);
  const planned = await pruneBackups(space.folder, ONLY_LAST, { dryRun: true });
  expect(planned.removed).toHaveLength(2);
  expect(names(space)).toEqual(["a.yaml", "b.yaml", "c.yaml"]);
  await pruneBackups(space.folder, ONLY_LAST);
  expect(names(space)).toEqual(["c.yaml"]);
  expect(readdirSync(space.folder).filter((name) => name.includes("jsonl"))).toHaveLength(1);
});

test("the last good one stays, though newer ones that are damaged or partial count", async () => {
  await using space = backupWorkspace();
  await make(space, ["good", "damaged"]);
  const data = readdirSync(space.folder).find((name) => /^damaged.*jsonl/.test(name)) as string;
  const bytes = readFileSync(join(space.folder, data));
  bytes[20]! ^= 1;
  writeFileSync(join(space.folder, data), bytes);
  space.store.setFaults(() => {
    throw unavailable();
  });
  await make(space, ["partial"]);
  const { lastGood } = await pruneBackups(space.folder, ONLY_LAST);
  expect(lastGood).toMatchObject([{ path: join(space.folder, "good.yaml") }]);
  expect(names(space)).toEqual(["good.yaml", "partial.yaml"]);
});

test("with nothing good in it, a folder is left alone; what cannot be read is, always", async () => {
  await using space = backupWorkspace();
  await make(space, ["a", "b"]);
  for (const name of names(space))
    writeFileSync(join(space.folder, name.replace(".yaml", ".yml")), "not: ours\n");
  for (const name of readdirSync(space.folder).filter((file) => file.includes("jsonl")))
    writeFileSync(join(space.folder, name), "");
  expect((await pruneBackups(space.folder, ONLY_LAST)).removed).toEqual([]);
  const { backups, unreadable } = listBackups(space.folder);
  expect(backups.map(({ damage }) => damage)).toEqual([
    expect.stringMatching(/0 bytes instead of/),
    expect.stringMatching(/0 bytes instead of/),
  ]);
  expect(unreadable).toHaveLength(2);
});

test("a backup that a kept one continues is kept with it", async () => {
  await using space = backupWorkspace();
  await make(space, ["a"]);
  await make(space, ["b", "c"], true);
  await pruneBackups(space.folder, ONLY_LAST);
  expect(names(space)).toEqual(["a.yaml", "b.yaml", "c.yaml"]);
});

test("what is written over a backup while others are read is not removed for it", async () => {
  await using space = backupWorkspace();
  await make(space, ["a", "b", "c"]);
  const other = join(space.directory, "other.yaml");
  await space.backups().backup({ output: other, configurationOnly: true });
  const pruning = pruneBackups(space.folder, ONLY_LAST);
  copyFileSync(other, join(space.folder, "a.yaml"));
  expect((await pruning).removed).toMatchObject([{ path: join(space.folder, "b.yaml") }]);
  expect(names(space)).toEqual(["a.yaml", "c.yaml"]);
});
