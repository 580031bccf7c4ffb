import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { ChromaStore } from "@holdfast/chroma";
import type { StoreError, VectorRecord } from "@holdfast/store";
import { vectorStoreContract } from "@holdfast/store/testing";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import * as fc from "fast-check";
import { testedBuilds } from "./support/server-builds.ts";

let chroma: TestChroma;

beforeAll(async () => {
  chroma = await startChroma();
}, 300_000);

afterAll(async () => {
  await chroma.stop();
});

function openStore(): ChromaStore {
  return new ChromaStore({ mode: "server", host: chroma.host, port: chroma.port });
}

function record(id: string, changes: Partial<VectorRecord> = {}): VectorRecord {
  return { id, document: id, metadata: {}, embedding: Float32Array.from([1, 2, 3]), ...changes };
}

const EMBEDDER = { provider: "test", model: "test", dimension: 3 };

describe.each(testedBuilds())("ChromaStore keeps the port's contract on the $name", (build) => {
  let server: TestChroma;
  beforeAll(async () => {
    server = build.command === undefined ? chroma : await startChroma({ command: build.command });
  }, 300_000);
  afterAll(async () => {
    if (server !== chroma) await server.stop();
  });
  const cases = vectorStoreContract(async () => {
    const { host, port } = server;
    return new ChromaStore({ mode: "server", host, port });
  });

  test.each(cases)(
    "$name",
    async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    },
    120_000,
  );
});

test("any metadata and text come back exactly", async () => {
  const store = openStore();
  const collection = await store.createCollection({ name: "exactly", embedder: EMBEDDER });
  const text = fc.string({ unit: "binary" });
  const key = text.filter((name) => name !== "" && !/^(?:\$|#|chroma:)/.test(name));
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const large = fc.double({ min: 2 ** 62, max: 1e22, noNaN: true });
  const values = fc.oneof(text, number, large, fc.integer(), fc.boolean());
  const metadata = fc.dictionary(key, values);
  const records = fc.array(fc.tuple(text, metadata), { minLength: 10, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(records, async (contents) => {
      const wanted = contents.map(([document, fields], index) =>
        record(`${index}`, { document, metadata: fields }),
      );
      await collection.delete(wanted.map(({ id }) => id));
      await collection.upsert(wanted);
      const found = await collection.get(wanted.map(({ id }) => id));
      expect(found).toHaveLength(wanted.length);
      for (const { id, document, metadata: fields } of found) {
        const original = wanted[Number(id)];
        expect(document).toBe(original?.document);
        expect(new Map(Object.entries(fields))).toEqual(
          new Map(Object.entries(original?.metadata ?? {})),
        );
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
  await store.close();
}, 120_000);

test("the database and the tenant must exist, whatever is asked", async () => {
  const { host, port } = chroma;
  for (const place of [{ database: "nowhere" }, { tenant: "nobody" }]) {
    const store = new ChromaStore({ mode: "server", host, port, ...place });
    const spec = { name: "memories", embedder: EMBEDDER };
    for (const call of [
      () => store.ping(),
      () => store.listCollections(),
      () => store.openCollection("memories"),
      () => store.createCollection(spec),
      () => store.deleteCollection("memories"),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "STORE_MISSING", verdict: "permanent" });
    }
    await store.close();
  }
});

test("a collection of another program is opened without loading its embedding function", async () => {
  const warn = jest.spyOn(console, "warn").mockImplementation(() => undefined);
  const { ChromaClient } = await import("chromadb");
  const foreign = new ChromaClient({ host: chroma.host, port: chroma.port });
  await foreign.createCollection({ name: "foreign" });
  warn.mockClear();
  const store = openStore();
  const collection = await store.openCollection("foreign");
  expect(collection.info).toMatchObject({ name: "foreign", embedder: undefined, distance: "l2" });
  expect(await store.listCollections()).toContainEqual(collection.info);
  await collection.upsert([record("a")]);
  expect(await collection.count()).toBe(1);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  await store.close();
});

test("a handle outlives restarts of a managed server, on whatever port", async () => {
  const store = new ChromaStore({
    mode: "managed",
    endpoint: async () => ({
      host: chroma.host,
      port: chroma.port,
      incarnation: chroma.incarnation,
    }),
  });
  const collection = await store.createCollection({ name: "outlives", embedder: EMBEDDER });
  await collection.upsert([record("a", { metadata: { n: 1 } })]);
  const before = store.incarnation();
  await chroma.restart();
  // The first call may find the dead connection; it says so, and the next goes to the new server.
  const found = await collection.get(["a"]).catch((error: StoreError) => {
    if (error.code !== "STORE_UNAVAILABLE") throw error;
    return collection.get(["a"]);
  });
  expect(found).toEqual([{ id: "a", document: "a", metadata: { n: 1 } }]);
  expect(store.incarnation()).toBe(chroma.incarnation);
  expect(store.incarnation()).not.toBe(before);
  await store.close();
});

test("a stopped server answers nothing: the call ends at its limit, the write unknown", async () => {
  const store = openStore();
  const collection = await store.createCollection({ name: "stopped", embedder: EMBEDDER });
  await collection.upsert([record("a")]);
  chroma.pause();
  try {
    const write = collection.upsert([record("b")], { timeoutMs: 300 });
    await expect(write).rejects.toMatchObject({ code: "STORE_TIMEOUT", outcomeUnknown: true });
    const read = collection.count({ timeoutMs: 300 });
    await expect(read).rejects.toMatchObject({ code: "STORE_TIMEOUT", outcomeUnknown: false });
  } finally {
    chroma.resume();
  }
  await store.ping();
  await store.close();
});
