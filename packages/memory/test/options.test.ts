import { expect, test } from "@jest/globals";
import type { MemoryOptions } from "@holdfast/memory";
import { backupWorkspace } from "./backup/backup-fixture.ts";

test.each<[unknown, string]>([
  [{ stateDirectory: "" }, `stateDirectory must be a path, not ""`],
  [{ stateDirectory: undefined }, "stateDirectory must be a path, not undefined"],
  [{ collection: "" }, `collection must be a name, not ""`],
  [{ colection: "x" }, `There is no option colection`],
  [{ outbox: { recordMax: 1 } }, "There is no option outbox.recordMax"],
  [
    { outbox: { recordsMax: -1 } },
    "outbox.recordsMax must be a whole number of at least 1, not -1",
  ],
  [{ outbox: { bytesMax: "1" } }, `outbox.bytesMax must be a whole number of at least 1, not "1"`],
  [
    { outbox: { keptRecordsMax: 0.5 } },
    "outbox.keptRecordsMax must be a whole number of at least 0, not 0.5",
  ],
  [
    { limits: { readMs: Number.NaN } },
    "limits.readMs must be a number from 0 to 2147483647, not NaN",
  ],
  [{ limits: { read: 1 } }, "There is no option limits.read"],
  [{ waitMs: -1 }, "waitMs must be a number from 0 to 2147483647, not -1"],
  [{ leaseMs: 0 }, "leaseMs must be a number from 1 to 2147483647, not 0"],
  [{ batchRecordsMax: 0 }, "batchRecordsMax must be a whole number of at least 1, not 0"],
  [{ background: "no" }, `background must be true or false, not "no"`],
])("the options %j are refused: %s", async (options, message) => {
  await using space = backupWorkspace();
  const given = options as Partial<MemoryOptions>;
  expect(() => space.open(given)).toThrow(new TypeError(message));
  expect(() => space.backups({}, given)).toThrow(new TypeError(message));
});

test("an option that is undefined is as good as none", async () => {
  await using space = backupWorkspace();
  const given = { collection: undefined, outbox: { recordsMax: undefined }, waitMs: undefined };
  const memory = space.open(given as unknown as Partial<MemoryOptions>);
  expect(await memory.add("x")).toMatchObject({ durability: "stored" });
  expect(memory.status().collection).toBe("memories");
});
