import { expect, test } from "@jest/globals";
import type { VectorRecord } from "@holdfast/store";
import * as fc from "fast-check";
import { decodeRecord, decodeVector, upsertBodies, whereText } from "../src/store-codec.ts";
import { createBody, decodeInfo } from "../src/store-form.ts";
import { exactNumberText } from "../src/store-number.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const value = fc.oneof(
  finite,
  fc.boolean(),
  fc.string({ unit: "grapheme" }),
  fc.string().map((text) => `hf:number:${text}`),
  fc.string().map((text) => `hf:text:${text}`),
);

function record(changes: Partial<VectorRecord> = {}): VectorRecord {
  return { id: "a", document: "", metadata: {}, embedding: Float32Array.of(1, 2), ...changes };
}

interface Body {
  ids: string[];
  embeddings: string[];
  documents: string[];
  metadatas: Record<string, string | number | boolean | null>[];
}

function bodies(records: VectorRecord[], bytesMax = 1_000_000): Body[] {
  return upsertBodies(records, bytesMax, true).map((text) => JSON.parse(text) as Body);
}

test("what is written is what is read, marks and look-alikes of marks included", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (metadata) => {
      const [body] = bodies([record({ metadata })]);
      const sent = body?.metadatas[0] as Record<string, string>;
      expect(Object.entries(decodeRecord("a", "", sent).metadata)).toEqual(
        Object.entries(metadata),
      );
    }),
  );
});

test("numbers that Chroma changes are known: these were tried on servers 1.0.5 and 1.4.4", () => {
  expect(exactNumberText(0.41671253922711915)).toBeUndefined();
  expect(exactNumberText(905_049.2033140269)).toBeUndefined();
  expect(exactNumberText(1.023549347989099e-239)).toBeUndefined();
  expect(exactNumberText(-45_090_479_159_111_330_000)).toBe("-4.509047915911133e+19");
  expect(exactNumberText(0.1)).toBe("0.1");
  expect(exactNumberText(-1.5)).toBe("-1.5");
  expect(exactNumberText(-0)).toBe("0");
  expect(exactNumberText(2 ** 62)).toBe("4611686018427387904");
  expect(exactNumberText(2 ** 63)).toBe("9.223372036854776e+18");
});

test("stale keys become null, unless the revision sets them", () => {
  const [body] = bodies([record({ metadata: { kept: 1 }, staleKeys: ["gone", "kept", "gone"] })]);
  expect(body?.metadatas).toEqual([{ kept: 1, gone: null }]);
});

test("bodies stay under the limit, in order, nothing left out", () => {
  const documents = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { minLength: 1 });
  fc.assert(
    fc.property(documents, fc.integer({ min: 4_000, max: 8_000 }), (texts, bytesMax) => {
      const records = texts.map((document, index) => record({ id: `${index}`, document }));
      const parts = upsertBodies(records, bytesMax, true);
      expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(
        bytesMax,
      );
      const sent = parts.flatMap((part) => (JSON.parse(part) as Body).documents);
      expect(sent).toEqual(texts);
    }),
  );
  expect(() => upsertBodies([record({ document: "é".repeat(600) })], 1_000, true)).toThrow(
    expect.objectContaining({ code: "STORE_REJECTED" }),
  );
});

test("vectors go as their own bytes, views of larger buffers included", () => {
  const embedding = Float32Array.of(9, 0.1, -1e-30, 9).subarray(1, 3);
  const [body] = bodies([record({ embedding })]);
  const bytes = Buffer.from(body?.embeddings[0] ?? "", "base64");
  expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([...embedding]);
  const plain = upsertBodies([record({ embedding })], 1_000, false)[0] ?? "";
  expect((JSON.parse(plain) as { embeddings: number[][] }).embeddings).toEqual([[...embedding]]);
});

test("a number that the server could not write is not read as zero", () => {
  expect(decodeVector([1, null, 0])).toEqual(Float32Array.of(1, Number.NaN, 0));
});

test("filters are conjunctions; fractions exclude the integer that Chroma confuses them with", () => {
  const parsed = (where: Record<string, string | number>): unknown =>
    JSON.parse(whereText(where) ?? "null");
  expect(parsed({})).toBeNull();
  expect(parsed({ a: "x" })).toEqual({ a: { $eq: "x" } });
  expect(parsed({ a: 1, b: "y" })).toEqual({ $and: [{ a: { $eq: 1 } }, { b: { $eq: "y" } }] });
  expect(parsed({ a: -0.5 })).toEqual({ $and: [{ a: { $eq: -0.5 } }, { a: { $ne: 0 } }] });
});

test("a number that Chroma would change is stored as a text, but in a list it is refused", () => {
  const hard = 0.41671253922711915;
  const [body] = bodies([record({ metadata: { hard } })]);
  expect(body?.metadatas).toEqual([{ hard: `hf:number:${hard}` }]);
  expect(() => bodies([record({ metadata: { list: [1, hard] } })])).toThrow(
    expect.objectContaining({ code: "STORE_REJECTED" }),
  );
});

test("a collection is made again as Chroma told of it", () => {
  const embedder = { provider: "p", model: "m/1", dimension: 512 };
  const hnsw = { space: "ip", ef_search: 77, max_neighbors: 24 };
  const embedding_function = { type: "known", name: "default", config: {} };
  const answer = {
    id: "1",
    name: "theirs",
    metadata: { owner: "crm", "hnsw:space": "ip" },
    configuration_json: { hnsw, spann: null, embedding_function },
  };
  const { name: _name, ...form } = decodeInfo(answer);
  expect(form).toMatchObject({ embedder: undefined, distance: "ip" });
  const body = JSON.parse(createBody({ name: "anew", ...form })) as Record<string, unknown>;
  expect(body).toEqual({
    name: "anew",
    get_or_create: false,
    metadata: answer.metadata,
    configuration: { hnsw, embedding_function },
  });
  const ours = createBody({ name: "ours", ...form, embedder });
  const { metadata } = JSON.parse(ours) as { metadata: Record<string, unknown> };
  expect(metadata).toMatchObject({ owner: "crm", "hf:embedder_model": "m/1" });
  expect(decodeInfo({ ...answer, metadata })).toMatchObject({ embedder, settings: form.settings });
});

test("a collection that says nothing measures as Chroma does by default", () => {
  const said = { name: "quiet", embedder: undefined, distance: "l2", settings: {} };
  expect(decodeInfo({ id: "1", name: "quiet" })).toEqual(said);
  const half = { "hf:embedder_provider": "p" };
  expect(decodeInfo({ id: "1", name: "half", metadata: half }).embedder).toBeUndefined();
  const cloud = { hnsw: null, spann: { space: "cosine" }, embedding_function: null };
  expect(decodeInfo({ id: "1", name: "cloud", configuration_json: cloud }).distance).toBe("cosine");
});
