import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unavailable, workspace } from "./fixture.ts";

function rawBytes(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), "latin1"))
    .join("\n");
}

test("an update that erases leaves no byte of what was said before, however often", async () => {
  await using space = workspace();
  const memory = space.open();
  const { id } = await memory.add("the xylophone is in the attic", { metadata: { k: "marimba" } });
  await memory.update(id, { text: "the xylophone is in the cellar" });
  space.store.setFaults(() => {
    throw unavailable();
  });
  await memory.update(id, { text: "the xylophone is gone" });
  expect(rawBytes(space.directory)).toMatch(/attic[^]*marimba/);
  const changes = { text: "the instrument is gone", metadata: {} };
  await memory.update(id, changes, { erase: true });
  expect(rawBytes(space.directory)).not.toMatch(/xyloph|attic|cellar|marimba/);
  space.store.setFaults(undefined);
  await memory.drain();
  expect(memory.status().ledger).toMatchObject({ accepted: 4, stored: 4, residual: 0 });
  expect((await memory.search("instrument")).hits).toMatchObject([{ text: changes.text }]);
  expect(memory.list().memories).toMatchObject([{ id, revision: 4, durability: "stored" }]);
});
