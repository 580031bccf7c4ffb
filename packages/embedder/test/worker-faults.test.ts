import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { OfflineEmbedder } from "../src/offline-embedder.ts";

const WORKER_URL = new URL("./fixtures/faulty-worker.mjs", import.meta.url);

let embedder = new OfflineEmbedder(WORKER_URL);
beforeEach(() => {
  embedder = new OfflineEmbedder(WORKER_URL);
});
afterEach(() => embedder.close());

test.each([
  ["exit", "exit code 7"],
  ["crash", "out of order"],
  ["refuse", "no weights"],
])("a worker that does %j fails its call only, and the next has a fresh one", async (text, why) => {
  const failing = embedder.embed(["one", text, "never"]);
  const other = embedder.embed(["two", "three", "four"]);
  await expect(failing).rejects.toMatchObject({
    code: "EMBEDDER_FAILED",
    retryable: true,
    message: expect.stringContaining(why) as unknown,
  });
  // Served as texts 2, then 1 and 2 of the worker that was started anew.
  expect(await other).toEqual([2, 1, 2].map((served) => Float32Array.of(served)));
});
