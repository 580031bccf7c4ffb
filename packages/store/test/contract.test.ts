import { describe, expect, test } from "@jest/globals";
import { InMemoryVectorStore, vectorStoreContract } from "@holdfast/store/testing";

const limits = { batchRecordsMax: 500, batchBytesMax: 1_024 * 1_024 };

describe.each([
  ["that has lists", { limits }],
  ["that has none", { limits, lists: false }],
])("an InMemoryVectorStore %s keeps the port's contract", (_what, options) => {
  const cases = vectorStoreContract(async () => new InMemoryVectorStore(options));

  test.each(cases)("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
