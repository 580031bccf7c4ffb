import { afterAll, describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { createEmbedder, type Embedder } from "@holdfast/embedder";
import { loadOfflineModel } from "../src/offline-model.ts";

const embedder = createEmbedder();
afterAll(() => embedder.close());

async function vectorOf(text: string, from: Embedder = embedder): Promise<Float32Array> {
  const [vector] = await from.embed([text]);
  if (!vector) throw new Error("no vector");
  return vector;
}

function cosine(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (const [index, value] of one.entries()) sum += value * (other[index] ?? 0);
  return sum;
}

describe("the offline embedder", () => {
  test("states who it is, and its vectors are of that dimension and of unit length", async () => {
    const identity = await embedder.identity();
    expect(identity).toEqual({ provider: "default", model: "use-lite-words-1", dimension: 768 });
    const vector = await vectorOf("The user prefers dark mode");
    expect(vector).toHaveLength(identity.dimension);
    expect(cosine(vector, vector)).toBeCloseTo(1, 5);
  });

  test("puts a paraphrase nearer than another subject", async () => {
    const memory = await vectorOf("The user prefers dark mode in every editor");
    const near = await vectorOf("which colour theme does she like");
    const far = await vectorOf("when does the plane to Norway depart");
    expect(cosine(memory, near)).toBeGreaterThan(cosine(memory, far) + 0.1);
  });

  test("gives bit-equal vectors whatever else is embedded with a text", async () => {
    const texts = ["one memory", "", "another, much longer memory about the office", "东京", "🚀"];
    const together = await embedder.embed(texts);
    const reversed = await embedder.embed(texts.toReversed());
    const second = createEmbedder();
    try {
      for (const [index, text] of texts.entries()) {
        expect(reversed.at(-1 - index)).toEqual(together[index]);
        expect(await vectorOf(text)).toEqual(together[index]);
        expect(await vectorOf(text, second)).toEqual(together[index]);
      }
    } finally {
      await second.close();
    }
  });

  test("accepts any text, ill-formed ones included", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        const vectors = await embedder.embed(some);
        expect(vectors).toHaveLength(some.length);
        for (const vector of vectors) {
          expect(vector.every(Number.isFinite)).toBe(true);
          expect(cosine(vector, vector)).toBeCloseTo(1, 5);
        }
      }),
      { numRuns: 40, examples: [[["", " ", "\n"]], [["\ud800", "\0", "👩‍👩‍👧"]]] },
    );
  });

  test("tells texts apart in scripts that the model does not know", async () => {
    const office = await vectorOf("東京のオフィスは渋谷にあります");
    expect(cosine(office, await vectorOf("東京のオフィスはどこですか"))).toBeGreaterThan(
      cosine(office, await vectorOf("会議は毎週月曜日に開かれます")) + 0.03,
    );
  });

  test("reads a text of several windows, and of 100 KB its beginning and all its words", async () => {
    const filler = "The weather was mild and the road was long and empty. ".repeat(30);
    const withTail = await vectorOf(`${filler}Bananas grow in Ecuador.`);
    expect(cosine(withTail, await vectorOf(filler))).toBeLessThan(0.995);
    const huge = await vectorOf(`${filler.repeat(60)} zylotex`);
    expect(huge).not.toEqual(await vectorOf(filler.repeat(60)));
    expect(await vectorOf("x".repeat(100_000))).toHaveLength(768);
  });
});

test("the model reads the last word of a window, and of the one after it", async () => {
  const words = Array.from({ length: 200 }, (_, index) => ["coffee", "river", "train"][index % 3]);
  const plain = await loadOfflineModel();
  const meaning = async (text: string): Promise<string> =>
    String((await plain(text)).subarray(0, 512));
  for (const length of [60, 100, 119, 150, 200]) {
    const text = words.slice(0, length - 1).join(" ");
    expect(await meaning(`${text} elephant`)).not.toBe(await meaning(`${text} invoice`));
  }
});

describe("calls of the offline embedder", () => {
  test("take turns, so that a search does not wait for a bulk load", async () => {
    const order: string[] = [];
    const bulk = embedder.embed(Array.from({ length: 20 }, (_, index) => `memory ${index}`));
    await Promise.all([
      bulk.then(() => order.push("bulk")),
      vectorOf("a search").then(() => order.push("search")),
    ]);
    expect(order).toEqual(["search", "bulk"]);
  });

  test("end with the signal's reason, and leave the others alone", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const aborted = embedder.embed(["one", "two", "three"], { signal: controller.signal });
    const kept = vectorOf("kept");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(kept).resolves.toHaveLength(768);
    await expect(embedder.embed(["x"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("are refused beyond the bound", async () => {
    await expect(embedder.embed(Array<string>(10_001).fill(""))).rejects.toMatchObject({
      code: "EMBEDDER_BUSY",
      retryable: true,
    });
  });

  test("end when it is closed, and later ones are refused", async () => {
    const own = createEmbedder();
    const pending = own.embed(["one", "two"]);
    const [ended] = await Promise.allSettled([pending, own.close(), own.close()]);
    expect(ended).toMatchObject({ status: "rejected", reason: { code: "EMBEDDER_CLOSED" } });
    await expect(own.embed(["three"])).rejects.toMatchObject({ code: "EMBEDDER_CLOSED" });
  });

  test("embed nothing as nothing", async () => {
    await expect(embedder.embed([])).resolves.toEqual([]);
  });
});
