import { expect, test } from "@jest/globals";
import { StoreError } from "@holdfast/store";
import { InMemoryVectorStore } from "@holdfast/store/testing";
import { syncMemory } from "@holdfast/memory";
import { unavailable, workspace } from "./fixture.ts";

test("makes a lost collection anew from the mirror, equal to what was there", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany(
    Array.from({ length: 1_200 }, (_, n) => ({
      id: `m${n}`,
      text: `memory ${n}`,
      metadata: { n },
    })),
  );
  await space.store.deleteCollection("memories");
  const answer = await memory.search("memory 7");
  expect(answer).toMatchObject({ degraded: true, reason: expect.stringContaining("lost") });
  expect(await memory.add("meanwhile")).toMatchObject({ durability: "queued" });
  const progress: number[] = [];
  const report = await memory.rebuild({ onProgress: (done) => progress.push(done) });
  expect(report).toMatchObject({ rebuilt: 1_201, compared: 1_200, equal: true, keptAs: undefined });
  expect(progress.at(-1)).toBe(1_201);
  await memory.drain();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 1_201 });
  expect((await memory.search("memory 7")).degraded).toBe(false);
});

test("carries over what others wrote, keeps the old collection, and voids old handles", async () => {
  await using space = workspace();
  const [memory, bystander] = [space.open(), space.open()];
  await memory.add("ours", { id: "ours" });
  await bystander.get("ours");
  space.store.raw("memories").records.set("theirs", {
    document: "by another",
    metadata: { kind: "note" },
    embedding: new Float32Array(16).fill(0.25),
  });
  const report = await memory.rebuild();
  expect(report).toMatchObject({
    salvaged: 1,
    rebuilt: 1,
    equal: true,
    keptAs: expect.stringMatching(/^memories--before-/),
  });
  expect(space.store.raw(report.keptAs as string).records.size).toBe(2);
  expect(space.store.raw("memories").records.get("theirs")).toMatchObject({
    document: "by another",
  });
  await bystander.add("after the swap", { id: "late" });
  expect(space.store.raw("memories").records.has("late")).toBe(true);
});

test("gives others' records to a store that takes few at a time, carried over and brought back", async () => {
  await using space = workspace();
  const store = new InMemoryVectorStore({
    limits: { batchRecordsMax: 100, batchBytesMax: 1_000_000 },
  });
  const memory = space.open({}, { store });
  await memory.add("ours", { id: "ours" });
  for (let n = 0; n < 250; n++) {
    const embedding = new Float32Array(16).fill(0.25);
    store
      .raw("memories")
      .records.set(`t${n}`, { document: `theirs ${n}`, metadata: {}, embedding });
  }
  expect(await memory.rebuild()).toMatchObject({ salvaged: 250, equal: true });
  const target = { stateDirectory: space.directory, collection: "memories" };
  await syncMemory(target, { store });
  await store.deleteCollection("memories");
  expect(await memory.rebuild()).toMatchObject({ returned: 250, refused: [], equal: true });
  expect(store.raw("memories").records.size).toBe(251);
});

test("refuses, changing nothing, when others' records cannot be read", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany(Array.from({ length: 5_000 }, (_, n) => ({ text: `ours ${n}` })));
  let written = 0;
  space.store.setFaults(({ operation, collection }) => {
    if (operation === "scan" && collection === "memories") throw unavailable();
    if (operation === "upsert") written += 1;
  });
  await expect(memory.rebuild()).rejects.toMatchObject({ code: "REBUILD_REFUSED" });
  // The filling that goes on beside ends at once, not after all of its five batches.
  expect(written).toBeLessThan(5);
  space.store.setFaults(undefined);
  expect((await space.store.listCollections()).map(({ name }) => name)).toEqual(["memories"]);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 5_000 });
}, 240_000);

test("does not swap in a collection that differs from the mirror", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("precious", { id: "precious" });
  space.store.setFaults(({ operation, moment, collection }) => {
    if (operation !== "upsert" || moment !== "after" || collection === undefined) return;
    const { records } = space.store.raw(collection);
    const record = records.get("precious");
    if (record) records.set("precious", { ...record, document: "bent" });
  });
  await expect(memory.rebuild()).rejects.toMatchObject({ code: "REBUILD_REFUSED" });
  space.store.setFaults(undefined);
  expect(await memory.compare()).toMatchObject({ equal: true });
});

test("finishes on the second try after the first was cut off", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours", { id: "ours" });
  for (const cutAt of ["upsert", "get", "renameCollection"] as const) {
    space.store.setFaults(({ operation, collection }) => {
      if (operation === "deleteCollection") throw unavailable();
      if (operation === cutAt && collection !== "memories") {
        throw new StoreError("cut off", { code: "STORE_UNAVAILABLE", outcomeUnknown: true });
      }
    });
    await expect(memory.rebuild()).rejects.toThrow(/cut off|down|renam/);
    space.store.setFaults(undefined);
    expect(await memory.rebuild()).toMatchObject({ equal: true, compared: 1 });
    const names = (await space.store.listCollections()).map(({ name }) => name);
    expect(names.filter((name) => name.includes("--rebuild-"))).toEqual([]);
  }
});

test("fills another, empty database", async () => {
  await using space = workspace();
  await space.open().add("moves house", { id: "a" });
  const store = new InMemoryVectorStore();
  const moved = space.open({}, { store });
  expect(await moved.rebuild()).toMatchObject({ rebuilt: 1, equal: true });
  expect(store.raw("memories").records.get("a")?.document).toBe("moves house");
});
