import { describe, expect, test } from "@jest/globals";
import { InMemoryVectorStore, vectorStoreContract } from "@holdfast/store/testing";

describe("InMemoryVectorStore keeps the port's contract", () => {
  const limits = { batchRecordsMax: 500, batchBytesMax: 1_024 * 1_024 };
  const cases = vectorStoreContract(async () => new InMemoryVectorStore({ limits }));

  test.each(cases)("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
