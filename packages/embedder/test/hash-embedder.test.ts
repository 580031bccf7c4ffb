import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { createEmbedder } from "@holdfast/embedder";
import { hashEmbedder } from "@holdfast/embedder/testing";

test("every text becomes a unit vector of the stated dimension", async () => {
  const embedder = hashEmbedder({ dimension: 16 });
  expect(await embedder.identity()).toEqual({ provider: "hash", model: "words", dimension: 16 });
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      const [vector, again] = await embedder.embed([text, text]);
      expect(vector).toHaveLength(16);
      expect(again).toEqual(vector);
      expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5);
    }),
  );
});

test("is the same on every machine", async () => {
  const [vector] = await hashEmbedder({ dimension: 4 }).embed(["durable memory"]);
  expect(Array.from(vector ?? [])).toEqual([0, 0, -Math.SQRT1_2, Math.SQRT1_2].map(Math.fround));
});

test("texts that share words are nearer", async () => {
  const [query, near, far] = await hashEmbedder().embed([
    "chroma restarts",
    "after a kill chroma restarts",
    "coffee without sugar",
  ]);
  const dot = (other: Float32Array | undefined): number =>
    Array.from(query ?? []).reduce((sum, value, index) => sum + value * (other?.[index] ?? 0), 0);
  expect(dot(near)).toBeGreaterThan(dot(far) + 0.3);
});

test("refuses what is no dimension, and stops for a signal", async () => {
  expect(() => hashEmbedder({ dimension: 0 })).toThrow("Not a dimension");
  const reason = new Error("stop");
  const stopped = hashEmbedder().embed(["x"], { signal: AbortSignal.abort(reason) });
  await expect(stopped).rejects.toBe(reason);
});

test("is a provider by name, with the dimension that is asked for", async () => {
  const embedder = createEmbedder({ provider: "hash", options: { dimension: 32 } });
  const same = hashEmbedder({ dimension: 32 });
  expect(await embedder.identity()).toEqual(await same.identity());
  expect(await embedder.embed(["durable memory"])).toEqual(await same.embed(["durable memory"]));
  const usual = await createEmbedder({ provider: "hash", model: "words" }).identity();
  expect(usual).toEqual({ provider: "hash", model: "words", dimension: 256 });
});

test.each([
  [{ model: "sentences" }, "no model sentences"],
  [{ options: { dimensions: 3 } }, "no option dimensions"],
  [{ options: { dimension: "many" } }, "Not a dimension"],
])("the provider refuses %j", (choice, message) => {
  expect(() => createEmbedder({ provider: "hash", ...choice })).toThrow(
    expect.objectContaining({
      code: "EMBEDDER_OPTIONS_INVALID",
      message: expect.stringContaining(message),
    }),
  );
});
