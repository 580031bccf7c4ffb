import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { unavailable, workspace } from "./fixture.ts";

test("keys that every object has are removed like any other", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("x", { id: "x", metadata: { constructor: "a", toString: 1, valueOf: true } });
  await memory.update("x", { metadata: {} });
  const keys = Object.keys(space.store.raw("memories").records.get("x")?.metadata ?? {});
  expect(keys.filter((key) => !key.startsWith("hf:"))).toEqual([]);
  expect(await memory.compare()).toMatchObject({ equal: true });
});

test("a key named __proto__ is read back from the store", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours");
  const metadata = JSON.parse('{"__proto__": "kept"}');
  space.store
    .raw("memories")
    .records.set("theirs", { document: "x", metadata, embedding: new Float32Array(16).fill(1) });
  const { memory: found } = await memory.get("theirs");
  expect(Object.entries(found?.metadata ?? {})).toEqual([["__proto__", "kept"]]);
});

// SQLite of Node 22 reads it from JSON as another number than the one that is bound.
test("a number with many digits and a small exponent is found by filter", async () => {
  await using space = workspace();
  const memory = space.open();
  const filter = { where: { ref: -3.88530554806587e-245 } };
  const { id } = await memory.add("tiny", { metadata: filter.where });
  expect(memory.list(filter).memories.map((found) => found.id)).toEqual([id]);
});

test("any text, key, value, tag and scope comes back and is found by filter, store or none", async () => {
  await using space = workspace();
  const memory = space.open();
  const text = fc
    .string({ unit: "binary", minLength: 1, maxLength: 12 })
    .filter((s) => s.isWellFormed());
  const key = text.filter((k) => !/^(hf:|chroma:|[$#])/.test(k) && k !== "__proto__");
  const value = fc.oneof(
    text,
    fc.boolean(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((n) => !Object.is(n, -0) && (!Number.isInteger(n) || Number.isSafeInteger(n))),
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(text, key, value, text, text, async (words, name, given, tag, user) => {
      // The run before may have failed in between.
      space.store.setFaults(undefined);
      const id = `${words.replaceAll("\0", "")}/${(count += 1)}`;
      const draft = { metadata: { [name]: given }, tags: [tag], scope: { user } };
      await memory.add(words, { id, ...draft });
      for (const faults of [
        undefined,
        () => {
          throw unavailable();
        },
      ]) {
        space.store.setFaults(faults);
        expect((await memory.get(id)).memory).toMatchObject({ id, text: words, ...draft });
      }
      const filter = { where: { [name]: given }, tags: [tag], scope: { user } };
      expect(memory.list(filter).memories.map((found) => found.id)).toContain(id);
      space.store.setFaults(undefined);
      const { hits } = await memory.search(words, { ...filter, limit: 1_000 });
      expect(hits.map((hit) => hit.id)).toContain(id);
    }),
    { numRuns: 60 },
  );
}, 240_000);
