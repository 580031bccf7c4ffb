import assert from "node:assert/strict";
import type { Metadata, VectorRecord, Where } from "../../vector-store.ts";
import { type CaseBody, fails, record, collect } from "./contract-case.ts";

const UNSTORABLE: Readonly<Record<string, VectorRecord>> = {
  "an empty id": record(""),
  "an id that is half a character": record("a\uD800"),
  "a text that is half a character": record("a", { document: "a\uDC00b" }),
  "a vector of another dimension": record("a", { embedding: new Float32Array(3).fill(1) }),
  "an empty vector": record("a", { embedding: new Float32Array(0) }),
  "NaN in a vector": record("a", { embedding: Float32Array.from([1, Number.NaN, 1, 1]) }),
  "infinity in a vector": record("a", { embedding: Float32Array.from([1, 1, 1, 1 / 0]) }),
  "NaN in metadata": record("a", { metadata: { n: Number.NaN } }),
  "infinity in metadata": record("a", { metadata: { n: -1 / 0 } }),
  "null in metadata": record("a", { metadata: { n: null } as unknown as Metadata }),
  "an empty list in metadata": record("a", { metadata: { n: [] } }),
  "a list of two types in metadata": record("a", { metadata: { n: ["x", 1] } }),
  "a list in a list in metadata": record("a", { metadata: { n: [["x"]] } as unknown as Metadata }),
  "half a character in a list": record("a", { metadata: { s: ["\uD83D"] } }),
  "an object in metadata": record("a", { metadata: { n: {} } as unknown as Metadata }),
  "half a character in metadata": record("a", { metadata: { s: "\uD83D" } }),
  "an empty key": record("a", { metadata: { "": 1 } }),
  "a key with $": record("a", { metadata: { $and: 1 } }),
  "a key with #": record("a", { metadata: { "#document": "x" } }),
  "a key of the database's own": record("a", { metadata: { "chroma:document": "x" } }),
};

export const REFUSING: Readonly<Record<string, CaseBody>> = {
  "a record that cannot be stored exactly is refused, and nothing with it": async (bench) => {
    const collection = await bench.create();
    for (const [what, unstorable] of Object.entries(UNSTORABLE)) {
      const error = await fails(collection.upsert([record("good"), unstorable]), "STORE_REJECTED");
      assert.equal(error.verdict, "callers-fault", what);
      assert.equal(error.retryable, false, what);
    }
    assert.equal(await collection.count(), 0);
  },

  "a record larger than a request may be is refused": async (bench) => {
    const collection = await bench.create();
    const document = "x".repeat(bench.store.limits.batchBytesMax);
    await fails(collection.upsert([record("good"), record("a", { document })]), "STORE_REJECTED");
    assert.equal(await collection.count(), 0);
  },

  "questions that make no sense are refused": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a")]);
    const { embedding } = record("a");
    for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await fails(collection.query(embedding, { limit }), "STORE_REJECTED");
    }
    await fails(collection.query(new Float32Array(3), { limit: 1 }), "STORE_REJECTED");
    await fails(
      collection.query(Float32Array.from([1, 1, 1, Number.NaN]), { limit: 1 }),
      "STORE_REJECTED",
    );
    const list = { n: ["x"] } as unknown as Where;
    for (const where of [{ $and: "x" }, { "": 1 }, { n: Number.NaN }, list]) {
      await fails(collection.query(embedding, { limit: 1, where }), "STORE_REJECTED");
      await fails(collect(collection.scan({ where })), "STORE_REJECTED");
    }
    for (const pageSize of [0, -1, 0.5]) {
      await fails(collect(collection.scan({ pageSize })), "STORE_REJECTED");
    }
  },

  "collection names that are none are refused": async (bench) => {
    const collection = await bench.create();
    for (const name of ["", "ab", "a b c", "-abc", "abc.", "a/b/c", "ключи", "n".repeat(513)]) {
      const spec = { name, embedder: { provider: "p", model: "m", dimension: 4 } };
      await fails(bench.store.createCollection(spec), "STORE_REJECTED");
      await fails(bench.store.renameCollection(collection.info.name, name), "STORE_REJECTED");
      await fails(bench.store.openCollection(name), "COLLECTION_NOT_FOUND");
      await fails(bench.store.deleteCollection(name), "COLLECTION_NOT_FOUND");
    }
  },
};
