import { afterEach, describe, expect, test } from "@jest/globals";
import { ChromaStore } from "@holdfast/chroma";
import { FixtureServer, type Handler, oneCollection } from "./fixture-server.ts";
import { ManualClock } from "./manual-clock.ts";

const open: AsyncDisposable[] = [];
const record = { id: "a", document: "", metadata: {}, embedding: Float32Array.from([1, 2]) };

afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

async function answering(handler: Handler): Promise<ChromaStore> {
  const server = await FixtureServer.start(oneCollection("id-1", handler));
  open.push(server);
  return new ChromaStore(
    { mode: "server", host: "127.0.0.1", port: server.port },
    { clock: new ManualClock() },
  );
}

/** What Chroma 1.0 and 1.4 really answer, and what proxies before them do. */
const ANSWERS: readonly [number, unknown, object, Record<string, string>][] = [
  [
    500,
    { message: "Error loading hnsw index" },
    { code: "STORE_UNAVAILABLE", outcomeUnknown: true },
    {},
  ],
  [
    500,
    { error: "InternalError", message: "(code: 13) database or disk is full" },
    { code: "STORE_UNAVAILABLE", outcomeUnknown: true },
    {},
  ],
  [502, "<h1>Bad Gateway</h1>", { code: "STORE_UNAVAILABLE", outcomeUnknown: true }, {}],
  [503, {}, { code: "STORE_UNAVAILABLE", retryAfterMs: 7_000 }, { "retry-after": "7" }],
  [
    400,
    { message: "Error executing plan: Internal error: Error finding id" },
    { code: "STORE_UNAVAILABLE", outcomeUnknown: true },
    {},
  ],
  [
    400,
    { message: "Failed to pull logs from the log store" },
    { code: "STORE_UNAVAILABLE", outcomeUnknown: true },
    {},
  ],
  [
    400,
    { message: "Error in compaction: Failed to apply logs" },
    { code: "STORE_UNAVAILABLE", outcomeUnknown: true },
    {},
  ],
  [
    400,
    { message: "Collection expecting embedding with dimension of 8, got 9" },
    { code: "STORE_REJECTED", verdict: "callers-fault", outcomeUnknown: false },
    {},
  ],
  [400, { message: "Validation error: name" }, { code: "STORE_REJECTED" }, {}],
  [401, {}, { code: "STORE_AUTH", verdict: "permanent" }, {}],
  [403, "forbidden", { code: "STORE_AUTH" }, {}],
  [
    404,
    { message: "Collection [documents] does not exists" },
    {
      code: "COLLECTION_NOT_FOUND",
      message: "There is no collection documents",
      hint: expect.stringContaining("Check its name"),
    },
    {},
  ],
  [
    404,
    { message: "Database [x] not found. Are you sure it exists?" },
    { code: "STORE_MISSING" },
    {},
  ],
  [404, "nginx", { code: "STORE_MISSING" }, {}],
  [408, {}, { code: "STORE_TIMEOUT", outcomeUnknown: true }, {}],
  [410, { error: "Unimplemented" }, { code: "STORE_MISSING" }, {}],
  [409, { message: "exists" }, { code: "COLLECTION_EXISTS" }, {}],
  [413, "Payload too large", { code: "STORE_REJECTED" }, {}],
  [422, { message: "Quota exceeded: document size" }, { code: "STORE_REJECTED" }, {}],
  [422, { message: "Billing limit exceeded" }, { code: "STORE_AUTH" }, {}],
  [
    429,
    {},
    { code: "STORE_BUSY", retryable: true, outcomeUnknown: false, retryAfterMs: 2_000 },
    { "retry-after": "2" },
  ],
  [
    429,
    {},
    { code: "STORE_BUSY", retryAfterMs: 60_000 },
    { "retry-after": "Sat, 01 Aug 2026 12:01:00 GMT" },
  ],
  [501, {}, { code: "STORE_REJECTED" }, {}],
  [200, "<html>Please log in</html>", { code: "STORE_UNAVAILABLE", outcomeUnknown: true }, {}],
  [200, "ok", { code: "STORE_UNAVAILABLE", outcomeUnknown: true }, { "content-type": "" }],
  [200, "", { code: "STORE_UNAVAILABLE", outcomeUnknown: true }, { "content-length": "0" }],
];

describe("what an upsert is answered", () => {
  test.each(ANSWERS)("%p %j is %j", async (status, body, wanted, headers) => {
    const store = await answering(() => ({ status, body, headers }));
    const memories = await store.openCollection("memories");
    await expect(memories.upsert([record])).rejects.toMatchObject({
      name: "StoreError",
      ...wanted,
    });
  });
});

test("a read's failure leaves nothing unknown, and keeps the answer as its cause", async () => {
  const store = await answering(() => ({ status: 500, body: { message: "broken" } }));
  const memories = await store.openCollection("memories");
  await expect(memories.count()).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    outcomeUnknown: false,
    cause: { status: 500, body: { message: "broken" } },
  });
});

test("nobody listens: nothing was sent, so nothing is unknown", async () => {
  const store = await answering(() => undefined);
  const memories = await store.openCollection("memories");
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
  await memories.count().catch(() => undefined);
  await expect(memories.upsert([record])).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    outcomeUnknown: false,
    message: expect.stringContaining("ECONNREFUSED"),
    cause: expect.objectContaining({ message: "fetch failed" }),
  });
});

test("a name that does not resolve, and an address that is none, say so", async () => {
  const nowhere = new ChromaStore({ mode: "server", host: "nowhere.invalid" });
  await expect(nowhere.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const nonsense = new ChromaStore({ mode: "server", host: "a b" });
  await expect(nonsense.ping()).rejects.toMatchObject({ code: "STORE_MISSING" });
});

// It passed for an empty one, or ended in a TypeError.
test.each([null, {}, { ids: [] }, { ids: [null] }, { ids: [[1]] }, { ids: [["a", null]] }])(
  "a query or a get that is answered %j is not answered",
  async (body) => {
    const store = await answering(() => ({ body }));
    const memories = await store.openCollection("memories");
    const wanted = { name: "StoreError", code: "STORE_UNAVAILABLE" };
    await expect(memories.query(record.embedding, { limit: 1 })).rejects.toMatchObject(wanted);
    if (body?.ids?.length === 0) return;
    await expect(memories.get(["a"])).rejects.toMatchObject(wanted);
  },
);

test("an answer that is nothing makes no collection, and no other error than a store's", async () => {
  const store = await answering(() => ({ body: null }));
  const created = store.createCollection({ name: "notes", embedder: undefined });
  await expect(created).rejects.toMatchObject({
    name: "StoreError",
    code: "STORE_UNAVAILABLE",
    outcomeUnknown: true,
  });
});

test("half an answer, or one that is not JSON, is a failure and not an empty result", async () => {
  const headers = { "content-type": "application/json" };
  for (const body of ['{"ids": [', "[]", "null", '"x"']) {
    const store = await answering(() => ({ headers, body }));
    const memories = await store.openCollection("memories");
    await expect(memories.get(["a"])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  }
});

test("of several requests, one that was applied makes the outcome unknown", async () => {
  let upserts = 0;
  const store = await answering((request) => {
    if (!request.path.endsWith("/upsert")) return { body: {} };
    upserts += 1;
    return upserts === 1 ? { body: {} } : { status: 413, body: "too large" };
  });
  const memories = await store.openCollection("memories");
  const document = "x".repeat(30 * 1_024 * 1_024);
  const records = [
    { ...record, document },
    { ...record, id: "b", document },
  ];
  await expect(memories.upsert(records)).rejects.toMatchObject({
    code: "STORE_REJECTED",
    outcomeUnknown: true,
  });
  expect(upserts).toBe(2);
});

test("a collection made anew under its name is found by one more question", async () => {
  let id = "old";
  const server = await FixtureServer.start((request) => {
    if (request.path.endsWith("/collections/memories")) return { body: { id } };
    if (request.path.includes("/new/")) return { body: 3 };
    return { status: 404, body: { message: "Collection [old] does not exist." } };
  });
  open.push(server);
  const store = new ChromaStore({ mode: "server", host: "127.0.0.1", port: server.port });
  const memories = await store.openCollection("memories");
  id = "new";
  expect(await memories.count()).toBe(3);
  expect(await memories.count()).toBe(3);
  expect(server.seen.map(({ path }) => path.split("/").slice(7).join("/"))).toEqual([
    "collections/memories",
    "collections/old/count",
    "collections/memories",
    "collections/new/count",
    "collections/new/count",
  ]);
});
