import { expect, test } from "@jest/globals";
import { hashEmbedder } from "@holdfast/embedder/testing";
import { InMemoryVectorStore } from "@holdfast/store/testing";
import { selfTest } from "../src/recovery/self-test.ts";

/** As on a machine so busy that between any two looks at the clock this many milliseconds pass. */
async function where<T>(passMs: number, work: () => Promise<T>): Promise<T> {
  const now = Date.now.bind(Date);
  const bigint = process.hrtime.bigint.bind(process.hrtime);
  let passed = 0;
  Date.now = () => now() + (passed += passMs);
  process.hrtime.bigint = () => bigint() + BigInt((passed += passMs)) * 1_000_000n;
  try {
    return await work();
  } finally {
    Date.now = now;
    process.hrtime.bigint = bigint;
  }
}

// An open breaker had waited long enough by the next call: it let that through, and was called broken.
test("a breaker that works is found to work on however busy a machine", async () => {
  const deps = {
    store: new InMemoryVectorStore(),
    embedder: hashEmbedder({ dimension: 8 }),
    target: () => Promise.reject(new Error("not asked")),
    server: undefined,
  };
  const { parts } = await where(50, () => selfTest(deps, new AbortController().signal));
  expect(parts.find(({ name }) => name === "breaker")).toMatchObject({
    passed: true,
    message: "closed, open, half-open, closed",
  });
});
