import { describe, expect, test } from "@jest/globals";
import { StoreError, type VectorCollection } from "@holdfast/store";
import { type FaultPoint, InMemoryVectorStore } from "@holdfast/store/testing";

const EMBEDDER = { provider: "p", model: "m", dimension: 2 };
const record = { id: "a", document: "text", metadata: {}, embedding: Float32Array.of(1, 2) };

async function memories(): Promise<{ store: InMemoryVectorStore; collection: VectorCollection }> {
  const store = new InMemoryVectorStore();
  return {
    store,
    collection: await store.createCollection({ name: "memories", embedder: EMBEDDER }),
  };
}

describe("faults of the fake", () => {
  test("the hook sees each call before and after it is applied", async () => {
    const { store, collection } = await memories();
    const seen: [FaultPoint, number][] = [];
    store.setFaults((point) => {
      seen.push([point, store.raw("memories").records.size]);
    });
    await collection.upsert([record]);
    const point = { operation: "upsert", collection: "memories", ids: ["a"] };
    expect(seen).toEqual([
      [{ ...point, moment: "before" }, 0],
      [{ ...point, moment: "after" }, 1],
    ]);
  });

  test("failing before applies nothing; failing after leaves the outcome unknown", async () => {
    const { store, collection } = await memories();
    const refusal = new StoreError("no", { code: "STORE_REJECTED" });
    store.setFaults(({ moment }) => {
      if (moment === "before") throw refusal;
    });
    await expect(collection.upsert([record])).rejects.toBe(refusal);
    expect(store.raw("memories").records.size).toBe(0);

    const cause = new Error("the wire was cut");
    store.setFaults(({ moment }) => {
      if (moment === "after") throw cause;
    });
    await expect(collection.upsert([record])).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      outcomeUnknown: true,
      cause,
    });
    expect(store.raw("memories").records.size).toBe(1);
  });

  test("a write that nobody waits for any more can still land", async () => {
    const { store, collection } = await memories();
    const landing = Promise.withResolvers<void>();
    const landed = Promise.withResolvers<void>();
    store.setFaults(({ moment }) => {
      if (moment === "before") return landing.promise;
      landed.resolve();
      return undefined;
    });
    const controller = new AbortController();
    const write = collection.upsert([record], { signal: controller.signal });
    controller.abort();
    await expect(write).rejects.toMatchObject({ code: "STORE_ABORTED", outcomeUnknown: true });
    expect(store.raw("memories").records.size).toBe(0);
    landing.resolve();
    await landed.promise;
    expect(store.raw("memories").records.size).toBe(1);
  });

  test("a call that hangs ends at its limit", async () => {
    let expire = (): void => undefined;
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: () => new Promise<void>((resolve) => (expire = resolve)),
    };
    const store = new InMemoryVectorStore({ clock, faults: () => new Promise(() => undefined) });
    const ping = store.ping({ timeoutMs: 50 });
    expire();
    await expect(ping).rejects.toMatchObject({ code: "STORE_TIMEOUT", outcomeUnknown: false });
  });

  test("like Chroma it merges metadata: what is not named stale stays", async () => {
    const { store, collection } = await memories();
    await collection.upsert([{ ...record, metadata: { old: 1 } }]);
    await collection.upsert([{ ...record, metadata: { new: 2 } }]);
    expect(store.raw("memories").records.get("a")?.metadata).toEqual({ old: 1, new: 2 });
  });

  test("incarnation is what the test says", () => {
    const store = new InMemoryVectorStore({ incarnation: "one" });
    expect(store.incarnation()).toBe("one");
    store.setIncarnation("two");
    expect(store.incarnation()).toBe("two");
  });
});
