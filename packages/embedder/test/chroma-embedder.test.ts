import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createEmbedder, type EmbedderOptions } from "@holdfast/embedder";

type Generate = (texts: string[]) => Promise<unknown>;

/** A stand-in for a provider's package; `calls` holds what its constructor and generate received. */
function fakeProvider(generate: Generate): {
  importModule: (name: string) => Promise<Record<string, unknown>>;
  imported: string[];
  constructed: unknown[];
  batches: string[][];
} {
  const imported: string[] = [];
  const constructed: unknown[] = [];
  const batches: string[][] = [];
  class Fake {
    constructor(args: unknown) {
      constructed.push(args);
    }
    generate(texts: string[]): Promise<unknown> {
      batches.push(texts);
      return generate(texts);
    }
  }
  const loaded = { OpenAIEmbeddingFunction: Fake, MorphEmbeddingFunction: Fake };
  const importModule = async (name: string): Promise<Record<string, unknown>> => {
    imported.push(name);
    return loaded;
  };
  return { importModule, imported, constructed, batches };
}

const threeNumbers: Generate = async (texts) => texts.map((text) => [text.length, 0, 1]);
const openai = { provider: "openai", model: "some-model" };

describe("a provider of Chroma's", () => {
  test("loads nothing until it is used, and answers for known models without a call", async () => {
    const fake = fakeProvider(threeNumbers);
    const embedder = createEmbedder({ provider: "openai" }, fake);
    expect(await embedder.identity()).toEqual({
      provider: "openai",
      model: "text-embedding-3-small",
      dimension: 1536,
    });
    expect(fake.imported).toEqual([]);
  });

  test("is probed once for a dimension that nobody knows", async () => {
    const fake = fakeProvider(threeNumbers);
    const embedder = createEmbedder(openai, fake);
    expect((await embedder.identity()).dimension).toBe(3);
    expect((await embedder.identity()).dimension).toBe(3);
    expect(fake.batches).toEqual([["dimension"]]);
  });

  test("gets its options in its own spelling, the model, and bounded batches", async () => {
    const fake = fakeProvider(threeNumbers);
    const options = { api_key_env_var: "KEY", dimensions: 3 };
    const embedder = createEmbedder({ ...openai, options }, fake);
    const texts = Array.from({ length: 130 }, (_, index) => "x".repeat(index + 1));
    const vectors = await embedder.embed(texts);
    expect(vectors.map(([length]) => length)).toEqual(texts.map(({ length }) => length));
    expect(fake.batches.map(({ length }) => length)).toEqual([64, 64, 2]);
    expect(fake.constructed).toEqual([
      { apiKeyEnvVar: "KEY", dimensions: 3, modelName: "some-model" },
    ]);
    await createEmbedder({ provider: "morph", options: { apiKey: "k" } }, fake).embed(["x"]);
    expect(fake.constructed[1]).toEqual({ api_key: "k", model_name: "morph-embedding-v2" });
  });

  test("is sent no text that services refuse", async () => {
    const fake = fakeProvider(threeNumbers);
    await createEmbedder(openai, fake).embed(["", "\n", "\ud800"]);
    expect(fake.batches).toEqual([[" ", " ", "\ufffd"]]);
  });

  test.each<[string, Generate]>([
    ["too few vectors", async () => [[1, 2, 3]]],
    ["no list", async () => ({})],
    ["vectors of two lengths", async () => [[1, 2, 3], [1]]],
    ["empty vectors", async () => [[], []]],
    ["what is no number", async () => [[Number.NaN], [1]]],
  ])("is not believed when it answers with %s", async (_, generate) => {
    const embedder = createEmbedder(openai, fakeProvider(generate));
    await expect(embedder.embed(["one", "two"])).rejects.toMatchObject({
      code: "EMBEDDER_OUTPUT_INVALID",
      retryable: false,
    });
  });

  test.each([
    [401, false],
    [400, false],
    [429, true],
    [500, true],
    [undefined, true],
  ])("that fails with status %j is retryable: %j", async (status, retryable) => {
    const cause = Object.assign(new Error("no luck"), { status });
    const embedder = createEmbedder(
      openai,
      fakeProvider(() => Promise.reject(cause)),
    );
    await expect(embedder.embed(["x"])).rejects.toMatchObject({
      code: "EMBEDDER_FAILED",
      retryable,
      cause,
    });
  });

  test("is not waited for after the signal, nor used after close", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const embedder = createEmbedder(
      openai,
      fakeProvider(() => new Promise(() => undefined)),
    );
    const pending = embedder.embed(["x"], { signal: controller.signal });
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await embedder.close();
    await expect(embedder.embed(["x"])).rejects.toMatchObject({ code: "EMBEDDER_CLOSED" });
  });
});

test("closing a provider of Chroma's ends what is pending, and sends no further batch", async () => {
  const answers: ((vectors: number[][]) => void)[] = [];
  const fake = fakeProvider(() => new Promise((resolve) => answers.push(resolve)));
  const embedder = createEmbedder(openai, fake);
  const pending = embedder.embed(Array.from({ length: 130 }, () => "x"));
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await embedder.close();
  await expect(pending).rejects.toMatchObject({ code: "EMBEDDER_CLOSED" });
  answers[0]?.(Array.from({ length: 64 }, () => [1, 2]));
  await new Promise((resolve) => setImmediate(resolve));
  expect(fake.batches).toHaveLength(1);
});

describe("a choice that cannot work", () => {
  test.each<[EmbedderOptions, string, RegExp]>([
    [{ provider: "opnai" }, "EMBEDDER_UNKNOWN", /default, .*openai/],
    [{ provider: "constructor" }, "EMBEDDER_UNKNOWN", /Choose one of/],
    [{ provider: "voyageai" }, "EMBEDDER_OPTIONS_INVALID", /collections remember/],
    [{ model: "gpt" }, "EMBEDDER_OPTIONS_INVALID", /use-lite-words-1/],
    [{ options: { apiKey: "x" } }, "EMBEDDER_OPTIONS_INVALID", /Leave them out/],
  ])("%j is refused at once", (choice, code, hint) => {
    const hinted: unknown = expect.stringMatching(hint);
    expect(() => createEmbedder(choice)).toThrow(expect.objectContaining({ code, hint: hinted }));
  });

  test("a package that is not installed is named, and works once it is", async () => {
    const embedder = createEmbedder({ provider: "cohere" });
    await expect(embedder.embed(["x"])).rejects.toMatchObject({
      code: "EMBEDDER_NOT_INSTALLED",
      hint: "Run: npm install @chroma-core/cohere chromadb",
    });
    const fake = fakeProvider(threeNumbers);
    let installed = false;
    const later = createEmbedder(openai, {
      importModule: async (name) => {
        if (!installed) throw new Error("not found");
        return fake.importModule(name);
      },
    });
    await expect(later.embed(["x"])).rejects.toMatchObject({ code: "EMBEDDER_NOT_INSTALLED" });
    installed = true;
    await expect(later.embed(["x"])).resolves.toHaveLength(1);
  });

  test("a package without the class, or whose class refuses the options, says so", async () => {
    const empty = createEmbedder(openai, { importModule: async () => ({}) });
    await expect(empty.embed(["x"])).rejects.toMatchObject({ code: "EMBEDDER_NOT_INSTALLED" });
    function Refusing(): never {
      throw new Error("no key");
    }
    const importModule = async (): Promise<Record<string, unknown>> => ({
      OpenAIEmbeddingFunction: Refusing,
    });
    const refused = createEmbedder(openai, { importModule });
    await expect(refused.embed(["x"])).rejects.toThrow(/refuses its options: no key/);
  });
});

describe("Chroma's own huggingface-server package", () => {
  let server: Server;
  let status = 200;
  beforeEach(async () => {
    status = 200;
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        const { inputs } = JSON.parse(body) as { inputs: string[] };
        response.statusCode = status;
        response.end(JSON.stringify(inputs.map((input) => [input.length, 0.5])));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test("is found by name, and its failure is told", async () => {
    const { port } = server.address() as AddressInfo;
    const options = { url: `http://127.0.0.1:${port}` };
    const embedder = createEmbedder({ provider: "huggingface-server", model: "bge-m3", options });
    expect(await embedder.identity()).toEqual({
      provider: "huggingface-server",
      model: "bge-m3",
      dimension: 2,
    });
    expect(await embedder.embed(["four"])).toEqual([Float32Array.of(4, 0.5)]);
    status = 503;
    await expect(embedder.embed(["x"])).rejects.toMatchObject({
      code: "EMBEDDER_FAILED",
      retryable: true,
    });
  });
});
