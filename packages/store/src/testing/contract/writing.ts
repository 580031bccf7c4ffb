import assert from "node:assert/strict";
import { StoreError } from "../../store-error.ts";
import type { Metadata } from "../../vector-store.ts";
import { assertVectorsClose, type CaseBody, fails, ids, only, record } from "./contract-case.ts";

const ODD_TEXTS = [
  "",
  " ",
  "\n\t\r",
  "emoji 👩‍👩‍👧‍👦 🏳️‍🌈",
  "Ünïcödé, 日本語, עברית, e\u0301 is not é",
  "NUL \u0000 inside",
  '"; DROP TABLE embeddings; -- \\',
  "\uFEFFbyte order mark",
  "null",
  "x".repeat(100 * 1_024),
  "📚".repeat(25 * 1_024),
];

const ODD_IDS = [
  "a/b/../c",
  "a\\b",
  "\"quoted\" 'twice'",
  "line\nbreak\ttab",
  "%2e%2e?x=1&y#z",
  " ",
  "👻",
  "é",
  "e\u0301",
  "$and",
  "0",
  "null",
  "__proto__",
  "i".repeat(2_000),
];

const ODD_METADATA: readonly Metadata[] = [
  {},
  { empty: "" },
  { text: "👩‍👩‍👧‍👦 日本語 \"'\\\n\u0000", long: "v".repeat(10_000) },
  { yes: true, no: false },
  {
    zero: 0,
    one: 1,
    minus: -1,
    large: 2 ** 53,
    larger: 2 ** 62,
    largest: 2 ** 63,
    huge: 1e300,
    beyond: -45_090_479_159_111_330_000,
  },
  { half: 0.5, tenth: 0.1, sum: 0.1 + 0.2, tiny: 5e-324, max: Number.MAX_VALUE, pi: Math.PI },
  { hard: 0.41671253922711915, harder: 905_049.203_314_026_9, hardest: 0.481_831_491_366_458_53 },
  { textual: "1", numeric: 1, boolean: true, textualBoolean: "true" },
  { "a.b": 1, "a b": 2, ключ: 3, "👻": 4, "q\"'\n": 5, "hf:x": 6, constructor: 7 },
  JSON.parse('{"__proto__": "own"}') as Metadata,
  { tagLike: "hf:number:1", textLike: "hf:text:hf:number:1", almost: "hf:" },
];

const LISTS: readonly Metadata[] = [
  { tags: ["a", "", "👻", "hf:number:1"], one: ["x"] },
  { whole: [1, 2, -3], halves: [1, 2.5], hard: [0.4167125392271191, 0.1] },
  { flags: [true, false], beside: "a value", n: 1 },
];

/** A list may be another realm's. */
function said(metadata: Metadata): unknown {
  return new Map(
    Object.entries(metadata).map(([key, value]) => [
      key,
      Array.isArray(value) ? [...value] : value,
    ]),
  );
}

export const WRITING: Readonly<Record<string, CaseBody>> = {
  "upsert stores the whole record": async (bench) => {
    const collection = await bench.create();
    const wanted = record("a", { axis: 2, metadata: { n: 1, s: "x", b: true } });
    await collection.upsert([wanted]);
    const { embedding, ...rest } = await only(collection, "a");
    assert.deepEqual(rest, { id: "a", document: wanted.document, metadata: wanted.metadata });
    assertVectorsClose(embedding, wanted.embedding);
  },

  "upsert replaces text, vector and the metadata it sets, and drops stale keys": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { old: 1, both: "x", gone: true } })]);
    const next = record("a", {
      axis: 3,
      document: "next",
      metadata: { both: "y", new: 2 },
      staleKeys: ["old", "gone", "never"],
    });
    await collection.upsert([next]);
    const { embedding, ...rest } = await only(collection, "a");
    assert.deepEqual(rest, { id: "a", document: "next", metadata: { both: "y", new: 2 } });
    assertVectorsClose(embedding, next.embedding);
    assert.equal(await collection.count(), 1);
  },

  "upsert to no metadata and an empty text leaves nothing of the old": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { old: 1 } })]);
    await collection.upsert([record("a", { document: "", staleKeys: ["old"] })]);
    const { document, metadata } = await only(collection, "a");
    assert.deepEqual({ document, metadata }, { document: "", metadata: {} });
  },

  "a stale key that this revision sets is kept": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { k: 1 } })]);
    await collection.upsert([record("a", { metadata: { k: 2 }, staleKeys: ["k"] })]);
    assert.deepEqual((await only(collection, "a")).metadata, { k: 2 });
  },

  "upsert is idempotent": async (bench) => {
    const collection = await bench.create();
    const wanted = record("a", { metadata: { n: 1 }, staleKeys: ["m"] });
    await collection.upsert([wanted]);
    await collection.upsert([wanted]);
    assert.deepEqual((await only(collection, "a")).metadata, { n: 1 });
    assert.equal(await collection.count(), 1);
  },

  "of duplicates in one call the last wins, whole": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { before: 1 } })]);
    await collection.upsert([
      record("a", { document: "first", metadata: { first: 1 }, staleKeys: ["before"] }),
      record("b"),
      record("a", { document: "last", axis: 1, metadata: { last: 1 } }),
    ]);
    const { document, metadata, embedding } = await only(collection, "a");
    assert.deepEqual({ document, metadata }, { document: "last", metadata: { last: 1 } });
    assertVectorsClose(embedding, record("a", { axis: 1 }).embedding);
    assert.equal(await collection.count(), 2);
  },

  "texts come back byte for byte": async (bench) => {
    const collection = await bench.create();
    await collection.upsert(ODD_TEXTS.map((document, index) => record(`${index}`, { document })));
    for (const [index, document] of ODD_TEXTS.entries()) {
      assert.equal((await only(collection, `${index}`)).document, document);
    }
  },

  "ids are any strings": async (bench) => {
    const collection = await bench.create();
    await collection.upsert(ODD_IDS.map((id) => record(id, { document: id })));
    assert.deepEqual(ids(await collection.get(ODD_IDS)), ODD_IDS.toSorted());
    for (const id of ODD_IDS) assert.equal((await only(collection, id)).document, id);
    await collection.delete(ODD_IDS.slice(1));
    assert.deepEqual(ids(await collection.get(ODD_IDS)), ODD_IDS.slice(0, 1));
  },

  "metadata comes back with its types and its numbers exact": async (bench) => {
    const collection = await bench.create();
    await collection.upsert(
      ODD_METADATA.map((metadata, index) => record(`${index}`, { metadata })),
    );
    for (const [index, metadata] of ODD_METADATA.entries()) {
      assert.deepEqual({ ...(await only(collection, `${index}`)).metadata }, { ...metadata });
    }
  },

  "lists come back as they were, or are refused and nothing with them": async (bench) => {
    const collection = await bench.create();
    const wanted = LISTS.map((metadata, index) => record(`${index}`, { metadata }));
    try {
      await collection.upsert([record("good"), ...wanted]);
    } catch (error) {
      assert.ok(error instanceof StoreError && error.code === "STORE_REJECTED", String(error));
      assert.equal(await collection.count(), 0);
      return;
    }
    const held = async (id: string): Promise<unknown> =>
      said((await only(collection, id)).metadata);
    for (const { id, metadata } of wanted) assert.deepEqual(await held(id), said(metadata));
    await collection.upsert([record("0", { metadata: { tags: ["b"] }, staleKeys: ["one"] })]);
    assert.deepEqual(await held("0"), said({ tags: ["b"] }));
  },

  "a record may have no text, which is not an empty one": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { document: null }), record("b", { document: "" })]);
    assert.equal((await only(collection, "a")).document, null);
    assert.equal((await only(collection, "b")).document, "");
    await collection.upsert([record("a", { document: "now" })]);
    assert.equal((await only(collection, "a")).document, "now");
  },

  "minus zero comes back as zero": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a", { metadata: { n: -0 } })]);
    assert.ok((await only(collection, "a")).metadata["n"] === 0);
  },

  "a batch of the largest size is stored, a larger one refused whole": async (bench) => {
    const collection = await bench.create();
    const most = bench.store.limits.batchRecordsMax;
    const many = Array.from({ length: most + 1 }, (_, index) => record(`${index}`));
    await fails(collection.upsert(many), "STORE_REJECTED");
    assert.equal(await collection.count(), 0);
    await collection.upsert(many.slice(1));
    assert.equal(await collection.count(), most);
    await fails(collection.delete(many.map(({ id }) => id)), "STORE_REJECTED");
    await collection.delete(many.slice(1).map(({ id }) => id));
    assert.equal(await collection.count(), 0);
  },

  "an upsert of more bytes than one request may carry is stored": async (bench) => {
    const collection = await bench.create();
    const document = "é".repeat(2 ** 17);
    const many = Math.ceil(bench.store.limits.batchBytesMax / 2 ** 18) + 4;
    await collection.upsert(
      Array.from({ length: many }, (_, index) => record(`${index}`, { document })),
    );
    assert.equal(await collection.count(), many);
    assert.equal((await only(collection, `${many - 1}`)).document, document);
  },

  "delete removes what exists, ignores the rest, and can be repeated": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a"), record("b"), record("c")]);
    await collection.delete(["a", "nobody", "a", "\uD800"]);
    await collection.delete(["a"]);
    assert.deepEqual(ids(await collection.get(["a", "b", "c"])), ["b", "c"]);
    assert.equal(await collection.count(), 2);
    await collection.upsert([record("a", { metadata: { again: true } })]);
    assert.deepEqual((await only(collection, "a")).metadata, { again: true });
  },

  "empty lists do nothing, and delete nothing": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a")]);
    await collection.upsert([]);
    await collection.delete([]);
    assert.deepEqual(await collection.get([]), []);
    assert.equal(await collection.count(), 1);
  },

  "concurrent writes to different ids all land; to one id, one wins whole": async (bench) => {
    const collection = await bench.create();
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        await collection.upsert([
          record(`${index}`, { metadata: { index } }),
          record("shared", { document: `${index}`, metadata: { index } }),
        ]);
      }),
    );
    assert.equal(await collection.count(), 41);
    const shared = await only(collection, "shared");
    assert.equal(shared.document, String(shared.metadata["index"]));
  },
};
