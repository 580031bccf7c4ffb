import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import {
  breakerOutcome,
  createBackups,
  type SyncOptions,
  type SyncReport,
  syncMemory,
} from "@holdfast/memory";
import type { VectorCollection, VectorRecord } from "@holdfast/store";
import { unavailable, type Workspace, workspace } from "./fixture.ts";

const EMBEDDER = { provider: "test", model: "letters", dimension: 16 };

function record(id: string, document: string, more: Partial<VectorRecord> = {}): VectorRecord {
  const embedding = new Float32Array(16).map((_, at) => Math.sin(id.length * 7 + at + 1));
  return { id, document, metadata: { source: "theirs", n: id.length }, embedding, ...more };
}

/** A collection that another program has filled, and nothing of ours. */
async function foreign(at: Workspace, records: VectorRecord[]): Promise<VectorCollection> {
  const collection = await at.store.createCollection({ name: "memories", embedder: EMBEDDER });
  await collection.upsert(records);
  return collection;
}

const sync = (at: Workspace, options: SyncOptions = {}): Promise<SyncReport> =>
  syncMemory({ stateDirectory: at.directory, collection: "memories" }, at, options);

const three = (): VectorRecord[] => [
  record("a", "the harbour opens at six"),
  record("bb", "the ferry needs a ticket", { metadata: { source: "theirs", "hf:odd": "kept" } }),
  record("ccc", "nothing about boats"),
];

test("what others wrote is recalled, degraded, once it was synced", async () => {
  let down = false;
  await using at = workspace(() => {
    if (down) throw unavailable();
  });
  await foreign(at, three());
  expect(await sync(at)).toMatchObject({ scanned: 3, added: 3, ours: 0, held: 3, resumed: false });
  const memory = at.open();
  await memory.add("our own note about the harbour");
  down = true;
  const found = await memory.search("harbour");
  expect(found.degraded).toBe(true);
  expect(found.hits.map(({ text }) => text).toSorted()).toEqual([
    "our own note about the harbour",
    "the harbour opens at six",
  ]);
  expect(await memory.get("bb")).toMatchObject({
    degraded: true,
    memory: { text: "the ferry needs a ticket", metadata: { source: "theirs" } },
  });
  expect(memory.status()).toMatchObject({ mirrored: 1, others: { held: 3, vanished: 0 } });
  expect(memory.list().total).toBe(1);
});

// What the store has lost took the places.
test("what the store has lost displaces nothing from a degraded recall", async () => {
  let down = false;
  await using at = workspace(() => {
    if (down) throw unavailable();
  });
  const lost = Array.from({ length: 12 }, (_, n) => record(`lost-${n}`, "harbour"));
  const theirs = await foreign(at, [...lost, record("held", "a long note about the harbour")]);
  await sync(at);
  await theirs.delete(lost.map(({ id }) => id));
  expect(await sync(at)).toMatchObject({ held: 1, keptVanished: 12 });
  down = true;
  const { hits } = await at.open().search("harbour", { limit: 5 });
  expect(hits.map(({ id }) => id)).toEqual(["held"]);
});

test("nothing is written to the store, and no vector of ours is needed", async () => {
  const asked: string[] = [];
  await using at = workspace(({ operation }) => void asked.push(operation));
  await foreign(at, three());
  asked.length = 0;
  await sync(at);
  await sync(at, { vectors: true });
  expect(asked).toContain("scan");
  expect(asked.filter((name) => /upsert|delete|create|rename/.test(name))).toEqual([]);
  expect(at.embedder.embedded).toEqual([]);
});

test("incremental: says what was added, changed, lost, and what came back", async () => {
  await using at = workspace();
  const theirs = await foreign(at, three());
  await sync(at);
  expect(await sync(at)).toMatchObject({ added: 0, changed: 0, vanished: 0, held: 3 });

  await theirs.upsert([record("a", "the harbour opens at seven"), record("dddd", "new")]);
  await theirs.delete(["ccc"]);
  expect(await sync(at)).toMatchObject({
    added: 1,
    changed: 1,
    vanished: 1,
    held: 3,
    keptVanished: 1,
    samples: { added: ["dddd"], changed: ["a"], vanished: ["ccc"] },
  });
  // Told once; kept until somebody decides.
  expect(await sync(at)).toMatchObject({ vanished: 0, keptVanished: 1 });
  await theirs.upsert([record("ccc", "nothing about boats")]);
  expect(await sync(at)).toMatchObject({ returned: 1, keptVanished: 0, held: 4 });
});

test("vectors that changed alone are found when they are asked for", async () => {
  await using at = workspace();
  const theirs = await foreign(at, three());
  await sync(at);
  const other = new Float32Array(16).fill(0.5);
  await theirs.upsert([{ ...record("a", "the harbour opens at six"), embedding: other }]);
  expect(await sync(at)).toMatchObject({ changed: 0 });
  expect(await sync(at, { vectors: true })).toMatchObject({ changed: 1 });
});

test("what the store has lost is dropped or put back, as it is told", async () => {
  await using at = workspace();
  const theirs = await foreign(at, three());
  await sync(at);
  await theirs.delete(["a", "ccc"]);
  expect(await sync(at, { vanished: "restore" })).toMatchObject({ vanished: 2, restored: 2 });
  const [back] = await theirs.get(["a"], { embeddings: true });
  expect(back).toMatchObject({ document: "the harbour opens at six", metadata: { n: 1 } });
  await theirs.delete(["a"]);
  expect(await sync(at, { vanished: "drop" })).toMatchObject({ dropped: 1, keptVanished: 0 });
});

test("a lost collection is not taken for one that was emptied, and is rebuilt with theirs", async () => {
  await using at = workspace();
  await foreign(at, three());
  await sync(at);
  const memory = at.open();
  await memory.add("ours", { id: "ours" });
  await at.store.deleteCollection("memories");
  await expect(sync(at)).rejects.toMatchObject({
    code: "COLLECTION_NOT_FOUND",
    hint: expect.stringContaining("memory rebuild"),
  });
  expect(memory.unmirrored(["a", "bb", "zz"])).toEqual(["zz"]);

  expect(await memory.rebuild()).toMatchObject({ equal: true, rebuilt: 1, returned: 3 });
  const collection = await at.store.openCollection("memories");
  const [bb] = await collection.get(["bb"], { embeddings: true });
  expect(bb).toMatchObject({ metadata: { source: "theirs", "hf:odd": "kept" } });
  expect([...(bb?.embedding ?? [])]).toEqual([...record("bb", "").embedding]);
});

test("a lost collection of which nothing was ours is missed, never silently made anew", async () => {
  await using at = workspace();
  await foreign(at, three());
  await sync(at);
  await at.store.deleteCollection("memories");
  const memory = at.open();
  const found = await memory.search("harbour");
  expect(found).toMatchObject({ degraded: true, hits: [{ id: "a" }] });
});

test("the forgotten stays forgotten: by id, by filter, offline, and though they write it again", async () => {
  let down = false;
  await using at = workspace(() => {
    if (down) throw unavailable();
  });
  const theirs = await foreign(at, [
    record("a", "secret harbour xylophone"),
    record("bb", "the ferry", { metadata: { user: "ada" } }),
    record("ccc", "stays"),
  ]);
  await sync(at);
  const memory = at.open();
  down = true;
  expect((await memory.forget(["a"], { waitMs: 0 })).ids).toEqual(["a"]);
  expect((await memory.forget({ where: { user: "ada" } }, { waitMs: 0 })).ids).toEqual(["bb"]);
  expect((await memory.search("xylophone ferry")).hits).toEqual([]);
  const bytes = readdirSync(at.directory)
    .filter((name) => name.startsWith("memory.db"))
    .map((name) => readFileSync(join(at.directory, name), "latin1"))
    .join("");
  expect(bytes).not.toContain("xylophone");

  down = false;
  await memory.drain();
  expect(await theirs.count()).toBe(1);
  await theirs.upsert([record("a", "secret harbour xylophone")]);
  expect(await sync(at)).toMatchObject({
    forgotten: 1,
    held: 1,
    samples: { forgotten: ["a"] },
  });
});

test("what is ours by now is no longer kept as theirs", async () => {
  await using at = workspace();
  await foreign(at, three());
  await sync(at);
  const memory = at.open();
  await memory.add("the harbour is ours", { id: "a" });
  expect(await sync(at)).toMatchObject({ ours: 1, held: 2, vanished: 0 });
});

// It was, in the place of what waited for the store.
test("what the store has lost is not put back where ours is on its way", async () => {
  await using at = workspace();
  const theirs = await foreign(at, three());
  await sync(at);
  const memory = at.open();
  await theirs.delete(["a", "bb"]);
  await memory.add("ours now", { id: "a", waitMs: 0 });
  expect(await sync(at)).toMatchObject({ vanished: 1, keptVanished: 1 });
  await memory.add("ours as well", { id: "bb", waitMs: 0 });
  expect(await sync(at, { vanished: "restore" })).toMatchObject({
    restored: 0,
    refused: [],
    keptVanished: 0,
  });
  expect(await theirs.count()).toBe(1);
  await memory.drain();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2, foreign: 1 });
});

test("a sync that was cut off is taken up, without reading a vector twice", async () => {
  let pages = 0;
  const vectors: number[] = [];
  await using at = workspace();
  await foreign(
    at,
    Array.from({ length: 1_200 }, (_, n) => record(`id-${n}`, `memory number ${n}`)),
  );
  const stop = new AbortController();
  const cutOff = sync(at, {
    signal: stop.signal,
    onProgress: () => {
      pages += 1;
      if (pages === 2) stop.abort(new Error("cut off"));
    },
  });
  await expect(cutOff).rejects.toThrow("cut off");
  const open = at.store.openCollection.bind(at.store);
  at.store.openCollection = async (...args) => {
    const opened = await open(...args);
    const get = opened.get.bind(opened);
    opened.get = (ids, options) => {
      vectors.push(ids.length);
      return get(ids, options);
    };
    return opened;
  };
  expect(await sync(at)).toMatchObject({ resumed: true, added: 1_200, held: 1_200 });
  expect(vectors.reduce((sum, n) => sum + n, 0)).toBe(200);
});

test("a sync that is taken up counts what was forgotten once", async () => {
  await using at = workspace();
  const theirs = await foreign(at, three());
  const memory = at.open();
  await memory.forget(["a"]);
  await theirs.upsert([record("a", "the harbour opens at six")]);
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(new Error("cut off"));
  const later = Array.from({ length: 500 }, (_, n) => record(`id-${n}`, `memory number ${n}`));
  await theirs.upsert(later);
  await expect(sync(at, { signal: stop.signal, onProgress })).rejects.toThrow("cut off");
  expect(await sync(at)).toMatchObject({
    resumed: true,
    forgotten: 1,
    samples: { forgotten: ["a"] },
  });
});

test("two at once: the second says so", async () => {
  await using at = workspace();
  await foreign(at, three());
  const outcomes = await Promise.allSettled([sync(at), sync(at)]);
  const codes = outcomes.map((each) => (each.status === "rejected" ? each.reason.code : "done"));
  expect(new Set(codes)).toEqual(new Set(["SYNC_UNDER_WAY", "done"]));
});

test("a backup made while the store is away has what others wrote, as the last sync saw it", async () => {
  let down = false;
  await using at = workspace(() => {
    if (down) throw unavailable();
  });
  const theirs = await foreign(at, three());
  await sync(at);
  const breaker = new CircuitBreaker({ name: "backup", classify: breakerOutcome });
  const backups = createBackups({ stateDirectory: at.directory }, { ...at, breaker });
  const output = join(at.directory, "away.yaml");
  down = true;
  const report = await backups.backup({ output, createdBy: "a test" });
  expect(report).toMatchObject({ others: 3, partial: expect.stringContaining("the store") });

  down = false;
  await theirs.delete(["a", "bb", "ccc"]);
  await backups.restore(await backups.plan(output));
  await backups.close();
  const restored = await at.store.openCollection("memories");
  const [bb] = await restored.get(["bb"], { embeddings: true });
  expect(bb).toMatchObject({
    document: "the ferry needs a ticket",
    metadata: { "hf:odd": "kept" },
  });
  expect(await restored.count()).toBe(3);
});

test("others' vectors of another dimension come back, into a collection that ours is not meant for", async () => {
  await using at = workspace();
  const embedder = { provider: "other", model: "other", dimension: 3 };
  const theirs = await at.store.createCollection({ name: "memories", embedder });
  await theirs.upsert([record("a", "the harbour", { embedding: new Float32Array([1, 2, 3]) })]);
  expect(await sync(at)).toMatchObject({ added: 1 });
  await at.store.deleteCollection("memories");
  const memory = at.open();
  expect(await memory.rebuild()).toMatchObject({ returned: 1 });
  const [back] = await (await at.store.openCollection("memories")).get(["a"], { embeddings: true });
  expect([...(back?.embedding ?? [])]).toEqual([1, 2, 3]);
  await expect(memory.search("harbour")).rejects.toMatchObject({ code: "EMBEDDER_MISMATCH" });
});
