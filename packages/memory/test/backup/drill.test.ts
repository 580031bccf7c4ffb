import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { drillBackup, type DrillReport } from "@holdfast/memory";
import { InMemoryVectorStore, type RawCollection } from "@holdfast/store/testing";
import { letterEmbedder } from "../fixture.ts";
import { type BackupWorkspace, backupWorkspace } from "./backup-fixture.ts";

let scratch: string;
beforeEach(() => void (scratch = mkdtempSync(join(tmpdir(), "holdfast-drill-"))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function backedUp(space: BackupWorkspace): Promise<string> {
  const memory = space.open();
  const words = ["tea", "coffee", "water", "milk", "juice", "wine", "beer", "cocoa"];
  await memory.addMany(words.map((word, n) => ({ id: `m${n}`, text: `Ada drinks ${word}` })));
  const { records } = space.store.raw("memories");
  records.set("theirs", { ...records.get("m0")!, metadata: { by: "others" } });
  const output = join(space.folder, "b.yaml");
  await space.backups().backup({ output });
  return output;
}

/** A drill in whose scratch store somebody meddles before it is reopened. */
function drill(
  path: string,
  meddle?: (held: RawCollection) => void,
  store = new InMemoryVectorStore(),
): Promise<DrillReport> {
  const reopen = () => {
    meddle?.(store.raw("memories"));
    return Promise.resolve(store);
  };
  return drillBackup(path, { stateDirectory: scratch, store, reopen }, letterEmbedder());
}

test("a drill compares every record of what it restored, and asks it", async () => {
  await using space = backupWorkspace();
  const report = await drill(await backedUp(space));
  expect(report).toMatchObject({ compared: 9, queries: 9, recall: 1 });
});

test.each<[string, (held: RawCollection) => void]>([
  ["text", ({ records }) => void (records.get("m3")!.document = "Ada drinks nothing")],
  ["vector", ({ records }) => void (records.get("m3")!.embedding[0]! += 0.01)],
  ["metadata", ({ records }) => void (records.get("m3")!.metadata = { planted: true })],
  ["absence", ({ records }) => void records.delete("m3")],
  ["other's record", ({ records }) => void (records.get("theirs")!.metadata = { by: "me" })],
  ["surplus", ({ records }) => void records.set("planted", { ...records.get("m0")! })],
])("a drill catches a planted wrong %s", async (_what, meddle) => {
  await using space = backupWorkspace();
  await expect(drill(await backedUp(space), meddle)).rejects.toMatchObject({
    code: "DRILL_FAILED",
    message: expect.stringMatching(/m3|theirs|instead of/),
  });
});

// It was asked for all the same, and its absence failed the drill; or nobody said that it was left out.
test("a drill names the memories that its store does not take, and tries the others", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.addMany(["a", "b"].map((id) => ({ id, text: `short ${id}` })));
  await memory.add("x".repeat(200_000), { id: "long" });
  const output = join(space.folder, "b.yaml");
  await space.backups().backup({ output });
  const limits = { batchRecordsMax: 100, batchBytesMax: 100_000 };
  const report = await drill(output, undefined, new InMemoryVectorStore({ limits }));
  expect(report).toMatchObject({ compared: 2, queries: 2, recall: 1, refused: ["long"] });
});
