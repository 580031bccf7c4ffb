import { afterEach, describe, expect, test } from "@jest/globals";
import { ChromaStore, type ChromaStoreOptions } from "@holdfast/chroma";
import type { VectorCollection } from "@holdfast/store";
import { placeFor } from "../src/client-connection.ts";
import { FixtureServer, type Handler, oneCollection } from "./fixture-server.ts";
import { ManualClock } from "./manual-clock.ts";

const never: Handler = () => undefined;
const open: AsyncDisposable[] = [];
const record = {
  id: "a",
  document: "text",
  metadata: {},
  embedding: Float32Array.from([1, 2]),
};

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function serve(handler: Handler, port?: number): Promise<FixtureServer> {
  const server = await FixtureServer.start(handler, port);
  open.push(server);
  return server;
}

function storeOn(
  server: FixtureServer,
  more: Partial<Extract<ChromaStoreOptions, { mode: "server" }>> = {},
  clock = new ManualClock(),
): ChromaStore {
  const options = { host: "127.0.0.1", port: server.port, ...more, mode: "server" } as const;
  return new ChromaStore(options, { clock });
}

async function hanging(): Promise<{
  server: FixtureServer;
  store: ChromaStore;
  memories: VectorCollection;
  clock: ManualClock;
}> {
  const server = await serve(oneCollection("id-1", never));
  const clock = new ManualClock();
  const store = storeOn(server, {}, clock);
  return { server, store, memories: await store.openCollection("memories"), clock };
}

describe("a server that never answers", () => {
  test("abort ends the call with its reason, and its socket", async () => {
    const { server, memories } = await hanging();
    const controller = new AbortController();
    const call = memories.query(record.embedding, { limit: 1, signal: controller.signal });
    await server.received(2);
    const reason = new Error("the user went away");
    controller.abort(reason);
    await expect(call).rejects.toMatchObject({
      name: "StoreError",
      code: "STORE_ABORTED",
      outcomeUnknown: false,
      cause: reason,
    });
    await server.deserted();
  });

  test("the time limit ends a write with an unknown outcome, and its socket", async () => {
    const { server, memories, clock } = await hanging();
    const call = memories.upsert([record], { timeoutMs: 1_234 });
    await server.received(3);
    expect(clock.asked.at(-1)).toBe(1_234);
    clock.expire();
    await expect(call).rejects.toMatchObject({
      code: "STORE_TIMEOUT",
      verdict: "retryable",
      outcomeUnknown: true,
    });
    await server.deserted();
  });

  test("calls that name no limit get the store's, by default 30 s", async () => {
    const { memories, clock } = await hanging();
    void memories.count().catch(() => undefined);
    expect(clock.asked).toEqual([30_000, 30_000]);
    clock.expire();
    const other = new ManualClock();
    const server = await serve(() => ({ body: {} }));
    await storeOn(server, { timeoutMs: 5 }, other).ping();
    expect(other.asked).toEqual([5]);
    expect(other.sleeping).toBe(0);
  });

  test("close ends what is under way, and its sockets", async () => {
    const { server, store, memories } = await hanging();
    const calls = [memories.delete(["a"]), memories.count()];
    await server.received(3);
    await store.close();
    const ended = await Promise.allSettled(calls);
    expect(ended).toMatchObject([
      { reason: { code: "STORE_ABORTED", outcomeUnknown: true } },
      { reason: { code: "STORE_ABORTED", outcomeUnknown: false } },
    ]);
    await server.deserted();
  });

  test("a body that stops half-way ends with the call too", async () => {
    const server = await serve(
      oneCollection("id-1", () => ({ headers: { "content-length": "999" }, body: { ids: [] } })),
    );
    const clock = new ManualClock();
    const memories = await storeOn(server, {}, clock).openCollection("memories");
    const call = memories.get(["a"]);
    await server.received(2);
    clock.expire();
    await expect(call).rejects.toMatchObject({ code: "STORE_TIMEOUT", outcomeUnknown: false });
    await server.deserted();
  });
});

describe("where requests go", () => {
  test("address, tenant, database, token and headers are what was configured", async () => {
    const server = await serve(() => ({ body: {} }));
    const more = { tenant: "t/1", database: "d 2", token: "secret", headers: { "x-team": "red" } };
    await storeOn(server, more).ping();
    expect(server.seen).toMatchObject([
      {
        method: "GET",
        path: "/api/v2/tenants/t%2F1/databases/d%202",
        headers: { authorization: "Bearer secret", "x-team": "red" },
      },
    ]);
  });

  test("a redirect is reported, not followed: it would carry the token elsewhere", async () => {
    const elsewhere = await serve(() => ({ body: {} }));
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const server = await serve(() => ({ status: 307, headers: { location }, body: {} }));
    await expect(storeOn(server, { token: "secret" }).ping()).rejects.toMatchObject({
      code: "STORE_MISSING",
      verdict: "permanent",
    });
    expect(elsewhere.seen).toEqual([]);
  });

  test("one question is one request, and a query carries the vector in full", async () => {
    const answer = { ids: [[]], documents: [[]], metadatas: [[]], distances: [[]] };
    const server = await serve(oneCollection("id-1", () => ({ body: answer })));
    const memories = await storeOn(server).openCollection("memories");
    const vector = Float32Array.from([0.1, -1e-30]);
    await memories.query(vector, { limit: 3 });
    expect(server.seen).toHaveLength(2);
    const body = JSON.parse(server.seen[1]?.body ?? "") as { query_embeddings: number[][] };
    expect(Float32Array.from(body.query_embeddings[0] ?? [])).toEqual(vector);
    expect(body).toMatchObject({ n_results: 3 });
  });

  test("the cloud is spoken to over TLS only", async () => {
    const server = await serve(() => ({ body: {} }));
    const { port } = server;
    const store = new ChromaStore({ mode: "cloud", apiKey: "key", host: "127.0.0.1", port });
    await expect(store.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(server.seen).toEqual([]);
  });

  test.each([
    [{}, { tenant: "t", databases: ["d", "d"] }, "/api/v2/tenants/t/databases/d"],
    [{ database: "e" }, { tenant: "t", databases: ["d", "e"] }, "/api/v2/tenants/t/databases/e"],
    [{ tenant: "u" }, { tenant: "t", databases: ["d"] }, "/api/v2/tenants/u/databases/d"],
    [{}, { tenant: "t", databases: ["d", "e"] }, undefined],
    [{}, { tenant: "t", databases: ["*"] }, undefined],
    [{}, { tenant: "t", databases: [] }, undefined],
    [{}, {}, undefined],
  ])("%j with a key for %j is %p", (configured, identity, place) => {
    expect(placeFor(configured, identity)).toBe(place);
  });
});

describe("a managed server", () => {
  test("is asked for lazily, once, and again when it is gone", async () => {
    const first = await serve(oneCollection("id-1", () => ({ body: 7 })));
    let endpoint = { host: "127.0.0.1", port: first.port, incarnation: "one" };
    let asked = 0;
    const store = new ChromaStore({
      mode: "managed",
      endpoint: async () => {
        asked += 1;
        return endpoint;
      },
    });
    expect(asked).toBe(0);
    expect(store.incarnation()).toBeUndefined();
    const memories = await store.openCollection("memories");
    expect(await memories.count()).toBe(7);
    expect([asked, store.incarnation()]).toEqual([1, "one"]);

    await first[Symbol.asyncDispose]();
    open.length = 0;
    await expect(memories.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    const second = await serve(oneCollection("id-1", () => ({ body: 8 })));
    endpoint = { host: "127.0.0.1", port: second.port, incarnation: "two" };
    expect(await memories.count()).toBe(8);
    expect(store.incarnation()).toBe("two");
  });

  test("a write that the old port refuses goes to the new one in the same call", async () => {
    const gone = await serve(never);
    const live = await serve(oneCollection("id-1", () => ({ body: {} })));
    const ports = [live.port, gone.port, live.port];
    const store = new ChromaStore({
      mode: "managed",
      endpoint: async () => {
        const port = ports.shift() ?? 0;
        return { host: "127.0.0.1", port, incarnation: `${ports.length}` };
      },
    });
    const memories = await store.openCollection("memories");
    await gone[Symbol.asyncDispose]();
    open.splice(0, 1);
    await expect(store.ping()).resolves.toBeUndefined();
    await memories.delete(["a"]);
    expect(store.incarnation()).toBe("0");
    expect(live.seen.at(-1)).toMatchObject({ path: expect.stringMatching(/id-1\/delete$/) });
  });

  test("that cannot be found says so, and is asked for again", async () => {
    const cause = new Error("no server record");
    let asked = 0;
    const store = new ChromaStore({
      mode: "managed",
      endpoint: async () => {
        asked += 1;
        throw cause;
      },
    });
    for (const time of [1, 2]) {
      await expect(store.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", cause });
      expect(asked).toBe(time);
    }
  });

  test("ping looks for a restart on the same port", async () => {
    const server = await serve(() => ({ body: {} }));
    let incarnation = "one";
    const store = new ChromaStore({
      mode: "managed",
      endpoint: async () => ({ host: "127.0.0.1", port: server.port, incarnation }),
    });
    await store.ping();
    incarnation = "two";
    expect(store.incarnation()).toBe("one");
    await store.ping();
    expect(store.incarnation()).toBe("two");
  });
});
