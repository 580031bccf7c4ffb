import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type BackupWorkspace, backupWorkspace, remembered } from "./backup-fixture.ts";

async function made(space: BackupWorkspace): Promise<string> {
  const { path } = await space.backups().backup({ output: join(space.folder, "b.yaml") });
  return path;
}

async function restore(space: BackupWorkspace, path: string, toTime?: number): Promise<void> {
  const backups = space.backups();
  await backups.restore(await backups.plan(path, toTime === undefined ? {} : { toTime }));
}

test("a point in time is the backup and the writes up to then", async () => {
  await using space = backupWorkspace();
  const clock = { now: () => Date.now() };
  const memory = space.open();
  await memory.addMany(["a", "b", "c"].map((id) => ({ id, text: `${id}1` })));
  const path = await made(space);
  await memory.update("a", { text: "a2" });
  await memory.forget(["b"]);
  await memory.add("d1", { id: "d" });
  const then = clock.now();
  const wanted = remembered(memory);
  while (clock.now() === then);
  await memory.update("a", { text: "a3" });
  await memory.add("e1", { id: "e" });
  await restore(space, path, then);
  expect(remembered(memory)).toEqual(wanted);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 3 });
  // The restore parts two histories: what came after it is not part of the first.
  await expect(space.backups().plan(path, { toTime: Date.now() + 1 })).rejects.toMatchObject({
    code: "POINT_IN_TIME_UNAVAILABLE",
    message: expect.stringContaining("memories were restored"),
  });
  await expect(space.backups().plan(path, { toTime: 1 })).rejects.toMatchObject({
    message: expect.stringContaining("later than"),
  });
});

test("a point in time whose writes are no longer kept is refused", async () => {
  await using space = backupWorkspace();
  const memory = space.open({ outbox: { keptRecordsMax: 2 } });
  await memory.add("a");
  const path = await made(space);
  for (let n = 0; n < 5; n++) await memory.add(`later ${n}`);
  await expect(space.backups().plan(path, { toTime: Date.now() })).rejects.toMatchObject({
    code: "POINT_IN_TIME_UNAVAILABLE",
    message: expect.stringContaining("no longer kept"),
  });
});

// It was made without them: they were as if they had never been.
test("nor is one whose writes still waited when another state was restored", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("a");
  const path = await made(space);
  await memory.add("waits", { waitMs: 0 });
  const then = Date.now();
  while (Date.now() === then);
  await restore(space, path);
  await expect(space.backups().plan(path, { toTime: then })).rejects.toMatchObject({
    code: "POINT_IN_TIME_UNAVAILABLE",
    message: expect.stringContaining("no longer kept"),
  });
});
