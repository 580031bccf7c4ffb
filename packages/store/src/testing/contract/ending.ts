import assert from "node:assert/strict";
import type { CallOptions } from "../../vector-store.ts";
import { type Bench, type CaseBody, EMBEDDER, fails, record, collect } from "./contract-case.ts";

type Call = (options: CallOptions) => Promise<unknown>;

/** Every method of the port, to be ended in the same way. */
async function everyCall(bench: Bench): Promise<Record<string, Call>> {
  const collection = await bench.create();
  const { name } = collection.info;
  const { embedding } = record("a");
  const spec = { name: bench.name(), embedder: EMBEDDER };
  return {
    ping: (options) => bench.store.ping(options),
    listCollections: (options) => bench.store.listCollections(options),
    openCollection: (options) => bench.store.openCollection(name, options),
    createCollection: (options) => bench.store.createCollection(spec, options),
    renameCollection: (options) => bench.store.renameCollection(name, spec.name, options),
    deleteCollection: (options) => bench.store.deleteCollection(name, options),
    upsert: (options) => collection.upsert([record("a")], options),
    get: (options) => collection.get(["a"], options),
    query: (options) => collection.query(embedding, { limit: 1, ...options }),
    delete: (options) => collection.delete(["a"], options),
    count: (options) => collection.count(options),
    scan: (options) => collect(collection.scan(options)),
  };
}

export const ENDING: Readonly<Record<string, CaseBody>> = {
  "a signal that is already aborted lets nothing be sent": async (bench) => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    for (const [name, call] of Object.entries(await everyCall(bench))) {
      const error = await fails(call({ signal }), "STORE_ABORTED");
      assert.equal(error.cause, reason, name);
      assert.equal(error.verdict, "callers-fault", name);
    }
  },

  "a signal that is not aborted, and a generous limit, change nothing": async (bench) => {
    const collection = await bench.create();
    const { signal } = new AbortController();
    const options = { signal, timeoutMs: 60_000 };
    await collection.upsert([record("a")], options);
    assert.equal(await collection.count(options), 1);
    assert.equal((await collect(collection.scan(options))).flat().length, 1);
  },

  "scan ends between pages when its signal aborts": async (bench) => {
    const collection = await bench.create();
    await collection.upsert([record("a"), record("b"), record("c")]);
    const controller = new AbortController();
    const pages = collection.scan({ pageSize: 1, signal: controller.signal });
    const scan = pages[Symbol.asyncIterator]();
    assert.equal((await scan.next()).done, false);
    controller.abort(new Error("enough"));
    await fails(scan.next(), "STORE_ABORTED");
  },

  "after close every call is refused, and closing twice is fine": async (bench) => {
    const calls = await everyCall(bench);
    await bench.clear();
    await bench.store.close();
    await bench.store.close();
    for (const call of Object.values(calls)) await fails(call({}), "STORE_ABORTED");
  },
};
