import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { Embedder } from "@holdfast/memory";
import { letterEmbedder, type Workspace } from "../fixture.ts";
import { backupWorkspace } from "./backup-fixture.ts";

/** Another model, whose vectors are as long as the first one's and mean something else. */
function otherEmbedder(): Embedder {
  const letters = letterEmbedder("other");
  return {
    ...letters,
    embed: async (texts) => (await letters.embed(texts)).map((vector) => vector.toReversed()),
  };
}

async function vectorsOf({ store, embedder }: Workspace, by: Embedder = embedder): Promise<void> {
  const { records } = store.raw("memories");
  for (const { document, embedding } of records.values()) {
    const [wanted] = await by.embed([document ?? ""]);
    expect([document, [...embedding]]).toEqual([document, [...(wanted ?? [])]]);
  }
}

// They were put on top with the vectors of the model before.
test("writes on top of a state that another model embeds are embedded by that one", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("before", { id: "a" });
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({ output: path });
  const embedder = otherEmbedder();
  const backups = space.backups({ embedder });
  const plan = await backups.plan(path, { reEmbed: true });
  await memory.add("since the plan", { id: "b" });
  await backups.restore(plan);
  const next = space.open({}, { embedder });
  await next.drain();
  await vectorsOf(space, embedder);
  expect(space.store.raw("memories").records.size).toBe(2);

  const first = space.backups();
  const undo = first.planUndo();
  await next.add("since that plan", { id: "c" });
  await first.undo(undo);
  await space.open().drain();
  await vectorsOf(space);
  expect(space.store.raw("memories").records.size).toBe(3);
});

// It knew of its model once, and accepted, embedded and kept what that one made.
test("who works on with the model before is refused once another has embedded all anew", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("before", { id: "a" });
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({ output: path });
  const embedder = otherEmbedder();
  const backups = space.backups({ embedder });
  await backups.restore(await backups.plan(path, { reEmbed: true }));
  await expect(memory.add("after", { id: "b" })).rejects.toMatchObject({
    code: "EMBEDDER_MISMATCH",
  });
  expect(memory.status().ledger).toMatchObject({ accepted: 1, refused: 1 });
});
