import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ChromaStore, managedEndpoint } from "@holdfast/chroma";
import type { Memory } from "@holdfast/memory";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";

let chroma: TestChroma;
let memory: Memory;

beforeAll(async () => {
  chroma = await startChroma();
  memory = openMemory(chroma.dataDirectory, { waitMs: 60_000 });
}, 120_000);
afterAll(async () => {
  await memory?.close();
  await chroma?.stop();
});

const ODD_TEXTS: readonly [string, string][] = [
  ["Unicode", "Größe · 東京 · العربية · ñandú · ﷽"],
  ["emoji and joiners", "🫖👩‍👩‍👧‍👦 family tea 🏳️‍🌈"],
  ["combining marks, unnormalised", "e\u0301 is not \u00e9"],
  ["control characters", "tab\t newline\n return\r bell\u0007 delete\u007f"],
  ["a NUL in the middle", "before\u0000after"],
  ["the byte order mark", "\ufeffstarts with it"],
  ["quotes and markup", `"'\`<script>alert(1)</script> -- '); DROP TABLE memory; --`],
  ["only white space", "   \n\t "],
  ["100 KB", "a long memory · ".repeat(6_100)],
  ["a single character", "x"],
];

test.each(ODD_TEXTS)("keeps %s exactly, in the store and in the mirror", async (name, text) => {
  const { id, durability, reason } = await memory.add(text, { metadata: { name } });
  expect([durability, reason]).toEqual(["stored", undefined]);
  const got = await memory.get(id);
  expect([got.degraded, got.memory?.text]).toEqual([false, text]);
  expect(memory.list({ where: { name } }).memories[0]?.text).toBe(text);
});

test.each([
  "with/slashes/../and?query=1#hash",
  `with "double" and 'single' and \`back\` quotes`,
  "with\nnewline and\ttab",
  "日本語🫖",
  "%2F%00",
  " leading and trailing ",
  "x".repeat(512),
])("takes the id %p through add, get, update and forget", async (id) => {
  expect(await memory.add("first", { id })).toMatchObject({ id, durability: "stored" });
  await memory.update(id, { text: "second" });
  expect((await memory.get(id)).memory).toMatchObject({ id, text: "second", revision: 2 });
  expect(await memory.forget([id])).toMatchObject({ ids: [id], durability: "stored" });
  expect((await memory.get(id)).memory).toBeUndefined();
});

test("keeps odd metadata exactly, and finds by it", async () => {
  const metadata = {
    "key with spaces": "value",
    "ключ🫖": "значение",
    "a.b.c": "dots",
    "quo\"te'": "q",
    empty: "",
    "newline\n": "a\nb",
    zero: 0,
    negative: -17,
    float: 0.1,
    tiny: 5e-324,
    large: -123_456.789e-7,
    whole: 9_007_199_254_740_991,
    wholeFloat: 3,
    yes: true,
    no: false,
    looksTrue: "true",
    looksNumber: "42",
  };
  const { id, durability, reason } = await memory.add("odd metadata", { metadata });
  expect([durability, reason]).toEqual(["stored", undefined]);
  const got = await memory.get(id);
  expect(got).toMatchObject({ degraded: false });
  expect(got.memory?.metadata).toEqual(metadata);
  for (const where of [{ "ключ🫖": "значение" }, { no: false }, { whole: 9_007_199_254_740_991 }]) {
    const { hits, degraded } = await memory.search("odd metadata", { where });
    expect([degraded, hits.map((hit) => hit.id)]).toEqual([false, [id]]);
  }
});

test("drops a metadata key and a tag that an update removed", async () => {
  const { id } = await memory.add("keys", { metadata: { stay: 1, go: 2 }, tags: ["stay", "go"] });
  await memory.update(id, { metadata: { stay: 1 }, tags: ["stay"] });
  expect((await memory.search("keys", { where: { go: 2 } })).hits).toEqual([]);
  expect((await memory.search("keys", { tags: ["go"] })).hits).toEqual([]);
  expect((await memory.search("keys", { tags: ["stay"] })).hits).toHaveLength(1);
  expect((await memory.get(id)).memory).toMatchObject({ metadata: { stay: 1 }, tags: ["stay"] });
});

test("everything above is in Chroma as the mirror has it, vectors included", async () => {
  const comparison = await memory.compare();
  expect(comparison).toMatchObject({ missing: [], different: [], equal: true });
  expect(comparison.compared).toBeGreaterThan(ODD_TEXTS.length);
  expect(memory.status().ledger).toMatchObject({ queued: 0, dead: 0, residual: 0 });
});

test("rebuilds the collection from the mirror while the old one is kept", async () => {
  const before = memory.list({ limit: 1_000 }).memories;
  const report = await memory.rebuild();
  expect(report).toMatchObject({ equal: true, rebuilt: before.length });
  expect(report.keptAs).toMatch(/--before-/);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: before.length });
  expect((await memory.search("odd metadata", { limit: 1 })).hits[0]?.text).toBe("odd metadata");
});

test("recognises a collection that another embedder made, before anything is written", async () => {
  const store = new ChromaStore({
    mode: "managed",
    endpoint: managedEndpoint(chroma.dataDirectory),
  });
  await store.createCollection({
    name: "made-elsewhere",
    embedder: { provider: "other", model: "other", dimension: 3 },
  });
  const other = openMemory(chroma.dataDirectory, { collection: "made-elsewhere" });
  try {
    await expect(other.search("anything")).rejects.toMatchObject({
      code: "EMBEDDER_MISMATCH",
      message: expect.stringContaining("other/other (3 dimensions)"),
      hint: expect.any(String),
    });
  } finally {
    await other.close();
    await store.close();
  }
});
