import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@jest/globals";
import { type Clock, systemClock } from "@holdfast/core";
import { StoreError } from "@holdfast/store";
import { unavailable, workspace } from "./fixture.ts";

const theirs = {
  document: "by another",
  metadata: { kind: "note" },
  embedding: new Float32Array(16).fill(0.25),
};

test("cut off between the two renames: the next one still carries over what others wrote", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours", { id: "ours" });
  space.store.raw("memories").records.set("theirs", theirs);
  space.store.setFaults(({ operation, moment, collection }) => {
    if (operation === "deleteCollection") throw unavailable();
    if (operation === "renameCollection" && moment === "before" && collection !== "memories")
      throw unavailable();
  });
  await expect(memory.rebuild()).rejects.toThrow("down");
  space.store.setFaults(undefined);
  expect(await memory.rebuild()).toMatchObject({ rebuilt: 1, salvaged: 1, equal: true });
  expect(space.store.raw("memories").records.has("theirs")).toBe(true);
});

test("cut off after the swap and before it was noted: nobody writes into the old one", async () => {
  await using space = workspace();
  const [memory, bystander] = [space.open(), space.open()];
  await memory.add("ours", { id: "ours" });
  await bystander.get("ours");
  space.store.setFaults(({ operation, moment, collection }) => {
    if (operation === "renameCollection" && moment === "after" && collection === "memories")
      throw unavailable(true);
  });
  // The first rename is of the old collection, the second ends as "memories".
  await expect(memory.rebuild()).rejects.toThrow("down");
  space.store.setFaults(undefined);
  await memory.rebuild();
  await bystander.add("after", { id: "after" });
  expect(space.store.raw("memories").records.has("after")).toBe(true);
});

test("a queued memory that the store refuses does not stop a rebuild", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany(["a", "b"].map((id) => ({ id, text: id })));
  await space.store.deleteCollection("memories");
  await memory.add("poison", { id: "poison", waitMs: 0 });
  space.store.setFaults(({ operation, moment, ids }) => {
    if (operation === "upsert" && moment === "before" && ids.includes("poison"))
      throw new StoreError("refused", { code: "STORE_REJECTED" });
  });
  expect(await memory.rebuild()).toMatchObject({ rebuilt: 2, compared: 2, equal: true });
  await memory.drain();
  expect(memory.status().ledger).toMatchObject({ stored: 2, dead: 1, residual: 0 });
});

test("a memory whose update was refused is rebuilt as the store had it", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("stored", { id: "x" });
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "upsert" && moment === "before")
      throw new StoreError("refused", { code: "STORE_REJECTED" });
  });
  await memory.update("x", { text: "refused" });
  space.store.setFaults(undefined);
  await space.store.deleteCollection("memories");
  await memory.rebuild();
  expect(space.store.raw("memories").records.get("x")?.document).toBe("stored");
  memory.discardDead(memory.deadLetters().map(({ seq }) => seq));
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 1 });
});

test("a queued update that the store refuses leaves the rebuild what was stored before", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("stored", { id: "x" });
  await space.store.deleteCollection("memories");
  await memory.update("x", { text: "poison" }, { waitMs: 0 });
  space.store.setFaults(({ operation, moment, collection }) => {
    if (operation !== "upsert" || moment !== "after") return;
    const record = space.store.raw(collection as string).records.get("x");
    if (record?.document !== "poison") return;
    space.store.raw(collection as string).records.delete("x");
    throw new StoreError("refused", { code: "STORE_REJECTED" });
  });
  expect(await memory.rebuild()).toMatchObject({ rebuilt: 1, equal: true });
  expect(space.store.raw("memories").records.get("x")?.document).toBe("stored");
});

test("killed after the swap: the next drainer, with a handle on the old one, turns to the new", async () => {
  await using space = workspace();
  const time: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + 120_000 };
  const [memory, bystander] = [space.open(), space.open({}, { clock: time })];
  await memory.add("ours", { id: "ours" });
  await bystander.get("ours");
  const swapped = Promise.withResolvers<void>();
  space.store.setFaults(({ operation, moment, collection }) => {
    if (operation !== "renameCollection" || moment !== "after" || collection === "memories")
      return undefined;
    swapped.resolve();
    return new Promise(() => {});
  });
  const hanging = memory.rebuild().catch(() => undefined);
  await swapped.promise;
  await bystander.add("after", { id: "after" });
  expect(space.store.raw("memories").records.has("after")).toBe(true);
  await memory.close();
  await hanging;
});

test("a rebuild that lost its lease does not swap", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours", { id: "ours" });
  const before = space.store.raw("memories");
  const db = new DatabaseSync(`${space.directory}/memory.db`);
  const rebuilding = memory.rebuild({
    onProgress: () => db.exec("UPDATE lease SET token = 'another', expires_at = 0"),
  });
  await expect(rebuilding).rejects.toMatchObject({ code: "LEASE_LOST" });
  db.close();
  expect(space.store.raw("memories")).toBe(before);
});
