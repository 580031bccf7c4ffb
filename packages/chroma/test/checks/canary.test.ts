import { expect, test } from "@jest/globals";
import { CANARY_COLLECTION, sendCanary } from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { StoreError } from "@holdfast/store";
import { InMemoryVectorStore } from "@holdfast/store/testing";

// A store whose queries failed kept a record of each look.
test("what a canary that was cut off has left is removed by a later one", async () => {
  let now = Date.now();
  const clock = { ...systemClock, now: () => now };
  const store = new InMemoryVectorStore();
  store.setFaults(({ operation }) => {
    if (operation === "query") throw new StoreError("no", { code: "STORE_UNAVAILABLE" });
  });
  for (let look = 0; look < 3; look += 1) {
    await expect(sendCanary(store, {}, clock)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  }
  store.setFaults(undefined);
  const collection = await store.openCollection(CANARY_COLLECTION);
  // Somebody may still be at these.
  await sendCanary(store, {}, clock);
  expect(await collection.count()).toBe(3);
  now += 11 * 60_000;
  await sendCanary(store, {}, clock);
  expect(await collection.count()).toBe(0);
});
