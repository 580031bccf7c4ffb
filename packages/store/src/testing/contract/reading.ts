import assert from "node:assert/strict";
import type { StoredRecord, VectorCollection, VectorRecord } from "../../vector-store.ts";
import { assertVectorsClose, type CaseBody, ids, record, collect } from "./contract-case.ts";

const COLOURS = ["red", "green", "blue"];

function numbered(count: number): VectorRecord[] {
  return Array.from({ length: count }, (_, index) =>
    record(`${index}`, {
      axis: index % 4,
      metadata: { colour: COLOURS[index % 3] as string, even: index % 2 === 0, half: index / 2 },
    }),
  );
}

async function pages(
  collection: VectorCollection,
  options: Parameters<VectorCollection["scan"]>[0],
): Promise<StoredRecord[][]> {
  return collect(collection.scan(options));
}

export const READING: Readonly<Record<string, CaseBody>> = {
  "get returns what exists, once, whatever is asked how often": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a"), record("b")]);
    assert.deepEqual(ids(await collection.get(["b", "nobody", "a", "b", "", "\uD800"])), [
      "a",
      "b",
    ]);
    assert.deepEqual(await collection.get(["nobody"]), []);
  },

  "get takes more ids than a batch": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a"), record("z")]);
    const unknown = Array.from({ length: 40_000 }, (_, index) => `unknown-${index}`);
    assert.deepEqual(ids(await collection.get(["z", ...unknown, "a"])), ["a", "z"]);
  },

  "vectors come only when asked for": async (bench) => {
    const collection = await bench.create();
    const wanted = record("a", { axis: 1 });
    await collection.upsert([wanted]);
    const [without] = await collection.get(["a"]);
    assert.ok(without !== undefined && !("embedding" in without));
    const [withVector] = await collection.get(["a"], { embeddings: true });
    assertVectorsClose(withVector?.embedding, wanted.embedding);
    const [[scanned] = []] = await pages(collection, {});
    assert.ok(scanned !== undefined && !("embedding" in scanned));
    const [[scannedWith] = []] = await pages(collection, { embeddings: true });
    assertVectorsClose(scannedWith?.embedding, wanted.embedding);
  },

  "what is returned is the caller's: changing it changes nothing": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { n: 1 } })]);
    const [first] = await collection.get(["a"], { embeddings: true });
    (first as { metadata: Record<string, unknown> }).metadata["n"] = 2;
    first?.embedding?.fill(9);
    const [second] = await collection.get(["a"], { embeddings: true });
    assert.deepEqual(second?.metadata, { n: 1 });
    assertVectorsClose(second?.embedding, record("a").embedding);
  },

  "query returns the nearest first, at most limit": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([0, 1, 2, 3].map((axis) => record(`axis-${axis}`, { axis })));
    const question = Float32Array.from([0.1, 0.2, 1, 0.3]);
    const matches = await collection.query(question, { limit: 3 });
    assert.deepEqual(
      matches.map(({ id }) => id),
      ["axis-2", "axis-3", "axis-1"],
    );
    assert.deepEqual(
      matches.map(({ distance }) => distance),
      matches.map(({ distance }) => distance).toSorted((left, right) => left - right),
    );
    assert.equal(matches[0]?.document, "text of axis-2");
    assert.equal((await collection.query(question, { limit: 100 })).length, 4);
    assert.deepEqual(await collection.query(question, { limit: 0 }), []);
  },

  "query of an empty collection finds nothing": async (bench) => {
    const collection = await bench.create();
    assert.deepEqual(await collection.query(record("a").embedding, { limit: 5 }), []);
  },

  "query sees a write as soon as it is answered": async (bench) => {
    const collection = await bench.create();
    for (const axis of [0, 1, 2, 3]) {
      const wanted = record(`axis-${axis}`, { axis });
      await collection.upsert([wanted]);
      const [nearest] = await collection.query(wanted.embedding, { limit: 1 });
      assert.equal(nearest?.id, wanted.id);
    }
    await collection.delete(["axis-3"]);
    const left = await collection.query(record("x", { axis: 3 }).embedding, { limit: 9 });
    assert.deepEqual(ids(left), ["axis-0", "axis-1", "axis-2"]);
  },

  "distances are 1 − cosine, squared Euclidean, 1 − inner product": async (bench) => {
    const stored = Float32Array.from([3, 0, 4, 0]);
    const asked = Float32Array.from([0, 0, 2, 0]);
    const wanted = { cosine: 1 - 0.8, l2: 9 + 4, ip: 1 - 8 } as const;
    for (const distance of ["cosine", "l2", "ip"] as const) {
      const collection = await bench.create({ distance });
      await collection.upsert([record("a", { embedding: stored })]);
      const [match] = await collection.query(asked, { limit: 1 });
      assert.ok(Math.abs((match?.distance ?? Number.NaN) - wanted[distance]) < 1e-4, distance);
    }
    const byDefault = await bench.create();
    await byDefault.upsert([record("a", { embedding: stored })]);
    const [match] = await byDefault.query(asked, { limit: 1 });
    assert.ok(Math.abs((match?.distance ?? Number.NaN) - wanted.cosine) < 1e-4, "default");
  },

  "filters match keys that are present and equal, in value and type": async (bench) => {
    const collection = await bench.create();
    const hard = 0.481_831_491_366_458_53;
    await collection.upsert([
      ...numbered(12),
      record("one", { metadata: { v: 1, hard } }),
      record("true", { metadata: { v: true } }),
      record("text", { metadata: { v: "1", __tag: "hf:number:1" } }),
      record("float", { metadata: { v: 0.41671253922711915 } }),
    ]);
    const find = async (where: Record<string, string | number | boolean>): Promise<string[]> => {
      const matches = await collection.query(record("x").embedding, { limit: 50, where });
      const scanned = (await pages(collection, { where })).flat();
      assert.deepEqual(ids(scanned), ids(matches), JSON.stringify(where));
      return ids(matches);
    };
    assert.deepEqual(await find({ colour: "red" }), ["0", "3", "6", "9"]);
    assert.deepEqual(await find({ colour: "red", even: true }), ["0", "6"]);
    assert.deepEqual(await find({ colour: "red", even: true, half: 3 }), ["6"]);
    assert.deepEqual(await find({ half: 0.5 }), ["1"]);
    assert.deepEqual(await find({ v: 1 }), ["one"]);
    assert.deepEqual(await find({ v: true }), ["true"]);
    assert.deepEqual(await find({ v: "1" }), ["text"]);
    assert.deepEqual(await find({ v: 0.41671253922711915 }), ["float"]);
    assert.deepEqual(await find({ hard }), ["one"]);
    assert.deepEqual(await find({ __tag: "hf:number:1" }), ["text"]);
    assert.deepEqual(await find({ colour: "none" }), []);
    assert.deepEqual(await find({ missing: "red" }), []);
    assert.equal((await find({})).length, 16);
  },

  "scan returns every record once, in full pages": async (bench) => {
    const collection = await bench.create();
    const wanted = numbered(23);
    await collection.upsert(wanted);
    for (const pageSize of [1, 5, 23, 24, 500]) {
      const found = await pages(collection, { pageSize });
      assert.deepEqual(ids(found.flat()), ids(wanted));
      assert.ok(found.every((page) => page.length > 0 && page.length <= pageSize));
      assert.equal(found.length, Math.ceil(23 / pageSize));
    }
    assert.equal((await pages(collection, {})).flat().length, 23);
    assert.deepEqual(await pages(await bench.create(), {}), []);
  },

  "scan can be left early": async (bench) => {
    const collection = await bench.create();
    await collection.upsert(numbered(10));
    const seen: string[] = [];
    for await (const page of collection.scan({ pageSize: 3 })) {
      seen.push(...page.map(({ id }) => id));
      if (seen.length >= 6) break;
    }
    assert.equal(new Set(seen).size, 6);
    assert.equal(await collection.count(), 10);
  },
};
