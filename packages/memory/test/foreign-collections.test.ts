import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { CircuitBreaker } from "@holdfast/breaker";
import {
  breakerOutcome,
  createBackups,
  drillBackup,
  type DrillReport,
  readManifest,
  type RestoreReport,
  syncMemory,
} from "@holdfast/memory";
import type { Distance, StoredRecord, VectorRecord, VectorStore } from "@holdfast/store";
import { InMemoryVectorStore } from "@holdfast/store/testing";
import { letterEmbedder, type Workspace, workspace } from "./fixture.ts";

/* What another program made, collection and records, comes back as it was. */

const vector = (n: number): Float32Array =>
  new Float32Array(16).map((_, at) => 3 * Math.sin(n * 7 + at + 1));

const THEIRS: readonly VectorRecord[] = [
  {
    id: "listed",
    document: "a record with lists",
    metadata: { tags: ["harbour", "ferry"], scores: [1, 2.5], flags: [true], plain: "value" },
    embedding: vector(1),
  },
  { id: "bare", document: null, metadata: { n: 1 }, embedding: vector(2) },
  { id: "empty", document: "", metadata: {}, embedding: vector(3) },
];
const SETTINGS = { hnsw: { max_neighbors: 24 }, metadata: { owner: "crm" } };

async function foreign(space: Workspace, distance: Distance = "l2"): Promise<void> {
  const form = { embedder: undefined, distance, settings: SETTINGS };
  const collection = await space.store.createCollection({ name: "memories", ...form });
  await collection.upsert(THEIRS);
}

const sync = (space: Workspace, options = {}): ReturnType<typeof syncMemory> =>
  syncMemory({ stateDirectory: space.directory, collection: "memories" }, space, options);

/** Everything in a collection, by id. */
async function held(store: VectorStore): Promise<Record<string, StoredRecord>> {
  const collection = await store.openCollection("memories");
  const found: Record<string, StoredRecord> = {};
  for await (const page of collection.scan({ embeddings: true }))
    for (const record of page) found[record.id] = record;
  return found;
}

async function formOf(store: VectorStore): Promise<unknown> {
  const { name: _name, ...form } = (await store.openCollection("memories")).info;
  return form;
}

const theirs = Object.fromEntries(THEIRS.map((record) => [record.id, record]));
const form = (distance: Distance): unknown => ({
  embedder: undefined,
  distance,
  settings: SETTINGS,
});

async function backedUp(space: Workspace): Promise<string> {
  const output = join(space.directory, "b.yaml");
  const breaker = new CircuitBreaker({ name: "test", classify: breakerOutcome });
  await using backups = createBackups({ stateDirectory: space.directory }, { ...space, breaker });
  await backups.backup({ output });
  return output;
}

async function restoredTo(store: VectorStore, path: string): Promise<RestoreReport> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "holdfast-elsewhere-"));
  try {
    const breaker = new CircuitBreaker({ name: "test", classify: breakerOutcome });
    const deps = { store, embedder: letterEmbedder(), breaker };
    await using backups = createBackups({ stateDirectory }, deps);
    return await backups.restore(await backups.plan(path));
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true });
  }
}

test.each<Distance>(["cosine", "l2", "ip"])(
  "a lost collection measured by %s is rebuilt as its owner made it",
  async (distance) => {
    await using space = workspace();
    await foreign(space, distance);
    await sync(space);
    await space.store.deleteCollection("memories");
    const memory = space.open();
    expect(await memory.rebuild()).toMatchObject({ returned: 3, refused: [] });
    expect(await held(space.store)).toEqual(theirs);
    expect(await formOf(space.store)).toEqual(form(distance));
  },
);

test("one that ours were written into is remembered without a sync", async () => {
  await using space = workspace();
  await foreign(space);
  const memory = space.open();
  await memory.add("ours", { id: "ours" });
  await space.store.deleteCollection("memories");
  await memory.rebuild();
  expect(await formOf(space.store)).toEqual(form("l2"));
});

test("a rebuild beside the old collection makes one alike", async () => {
  await using space = workspace();
  await foreign(space, "ip");
  expect(await space.open().rebuild()).toMatchObject({ salvaged: 3 });
  expect(await held(space.store)).toEqual(theirs);
  expect(await formOf(space.store)).toEqual(form("ip"));
});

test.each<Distance>(["cosine", "l2", "ip"])(
  "a backup of a collection measured by %s says so, and restores it alike",
  async (distance) => {
    await using space = workspace();
    await foreign(space, distance);
    const path = await backedUp(space);
    expect(readManifest(path).collections[0]?.form).toMatchObject({ distance, settings: SETTINGS });
    const store = new InMemoryVectorStore();
    expect(await restoredTo(store, path)).toMatchObject({ others: 3, refused: [] });
    expect(await held(store)).toEqual(theirs);
    expect(await formOf(store)).toEqual(form(distance));
  },
);

test("a store without lists names what it does not take, and has the rest", async () => {
  await using space = workspace();
  await foreign(space);
  const path = await backedUp(space);
  const store = new InMemoryVectorStore({ lists: false });
  expect(await restoredTo(store, path)).toMatchObject({ others: 2, refused: ["listed"] });
  expect(Object.keys(await held(store)).toSorted()).toEqual(["bare", "empty"]);
});

test("what a store without lists refuses stays in the mirror: rebuilt, and put back", async () => {
  await using space = workspace();
  await foreign(space);
  await sync(space);
  await space.store.deleteCollection("memories");
  const store = new InMemoryVectorStore({ lists: false });
  const older = { ...space, store };
  expect(await space.open({}, { store }).rebuild()).toMatchObject({
    returned: 2,
    refused: ["listed"],
  });
  expect(await sync(older)).toMatchObject({ vanished: 1, keptVanished: 1 });
  expect(await sync(older, { vanished: "restore" })).toMatchObject({
    restored: 0,
    refused: ["listed"],
    keptVanished: 1,
  });
});

async function drill(path: string, store: InMemoryVectorStore): Promise<DrillReport> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "holdfast-drill-"));
  const scratch = { stateDirectory, store, reopen: () => Promise.resolve(store) };
  return drillBackup(path, scratch, letterEmbedder()).finally(() =>
    rmSync(stateDirectory, { recursive: true, force: true }),
  );
}

test.each<Distance>(["cosine", "l2", "ip"])(
  "a drill asks a collection measured by %s as it measures",
  async (distance) => {
    await using space = workspace();
    await foreign(space, distance);
    const path = await backedUp(space);
    expect(await drill(path, new InMemoryVectorStore())).toMatchObject({
      compared: 3,
      queries: 3,
      recall: 1,
      refused: [],
    });
  },
);

test("a drill on a store without lists says what it could not try", async () => {
  await using space = workspace();
  await foreign(space);
  const report = await drill(await backedUp(space), new InMemoryVectorStore({ lists: false }));
  expect(report).toMatchObject({ compared: 2, refused: ["listed"] });
});
