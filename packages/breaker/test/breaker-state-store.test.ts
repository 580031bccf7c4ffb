import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  type BreakerRecord,
  type BreakerStateStore,
  CircuitBreaker,
  MemoryBreakerStateStore,
  type RecordChange,
  SqliteBreakerStateStore,
} from "@holdfast/breaker";
import { initialRecord } from "../src/breaker-record.ts";
import { fail, failTimes, settled, succeed } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-breaker-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A store across a network: answers later, or not at all. */
class RemoteStore implements BreakerStateStore {
  readonly #inner: MemoryBreakerStateStore;
  reads = 0;
  updates = 0;
  mode: "up" | "down" | "silent" = "up";

  constructor(clock: FakeClock) {
    this.#inner = new MemoryBreakerStateStore({ clock });
  }

  async read(key: string): Promise<BreakerRecord | undefined> {
    this.reads++;
    await this.#travel();
    return this.#inner.read(key);
  }

  async update<T>(
    key: string,
    change: RecordChange<T>,
  ): Promise<{ record: BreakerRecord; result: T }> {
    this.updates++;
    await this.#travel();
    return this.#inner.update(key, change);
  }

  async #travel(): Promise<void> {
    if (this.mode === "silent") await new Promise(() => {});
    if (this.mode === "down") throw new Error("no route to host");
  }
}

describe.each([
  ["memory", (clock: FakeClock): BreakerStateStore => new MemoryBreakerStateStore({ clock })],
  [
    "sqlite",
    (clock: FakeClock): BreakerStateStore =>
      new SqliteBreakerStateStore(join(folder, "breaker.db"), { clock }),
  ],
  ["remote", (clock: FakeClock): BreakerStateStore => new RemoteStore(clock)],
])("a state store: %s", (_name, createStore) => {
  test("starts empty, keeps records apart by key, and gives back what it was given", async () => {
    const clock = new FakeClock();
    const store = createStore(clock);
    expect(await store.read("a")).toBeUndefined();
    const record = { ...initialRecord(), version: 1, failures: 3, why: "because" };
    const stored = await store.update("a", (before, now) => {
      expect(before).toBeUndefined();
      return { record, result: now };
    });
    expect(stored.result).toBe(clock.now());
    expect(await store.read("a")).toEqual(record);
    expect(await store.read("b")).toBeUndefined();
    const same = await store.update("a", (before) => ({
      record: before as BreakerRecord,
      result: before,
    }));
    expect(same.result).toEqual(record);
    (store as Partial<Disposable>)[Symbol.dispose]?.();
  });

  test("breakers that share it share the count, the trip, the probe and the recovery", async () => {
    const clock = new FakeClock();
    const store = createStore(clock);
    const options = { name: "chroma", pollMs: 0, successThreshold: 2 };
    const [one, two] = [
      new CircuitBreaker(options, { clock, store }),
      new CircuitBreaker(options, { clock, store }),
    ];
    await failTimes(one, 3);
    await failTimes(two, 2);
    expect(two.state()).toBe("open");
    one.state();
    await settled();
    expect(await fail(one)).toMatchObject({ code: "BREAKER_OPEN" });
    clock.pass(60_000);
    await succeed(one);
    two.state();
    await settled();
    await succeed(two);
    expect(two.state()).toBe("closed");
    one.state();
    await settled();
    expect(one.state()).toBe("closed");
    (store as Partial<Disposable>)[Symbol.dispose]?.();
  });
});

describe("the hot path", () => {
  test("a closed breaker reads the store at most once per pollMs and never writes to it", async () => {
    const clock = new FakeClock();
    const store = new RemoteStore(clock);
    const breaker = new CircuitBreaker({ name: "b" }, { clock, store });
    for (let call = 0; call < 100; call++) await succeed(breaker);
    expect([store.reads, store.updates]).toEqual([1, 0]);
    clock.pass(500);
    for (let call = 0; call < 100; call++) await succeed(breaker);
    expect([store.reads, store.updates]).toEqual([2, 0]);
  });

  test("while open, refusals do not ask the store either", async () => {
    const clock = new FakeClock();
    const store = new RemoteStore(clock);
    const breaker = new CircuitBreaker({ name: "b" }, { clock, store });
    await failTimes(breaker, 5);
    const { updates } = store;
    await failTimes(breaker, 100);
    expect(store.updates).toBe(updates);
  });
});

describe("a store that is away", () => {
  test("leaves the breaker to itself, is told once, and learns what was decided meanwhile", async () => {
    const clock = new FakeClock();
    const store = new RemoteStore(clock);
    const breaker = new CircuitBreaker({ name: "b" }, { clock, store });
    const seen: boolean[] = [];
    breaker.on("store", ({ available }) => seen.push(available));
    await succeed(breaker);
    store.mode = "down";
    await failTimes(breaker, 5);
    expect(breaker.state()).toBe("open");
    expect(breaker.explain().store).toMatchObject({
      available: false,
      error: { message: "no route to host" },
    });
    await expect(breaker.forceClosed("now")).rejects.toMatchObject({
      code: "BREAKER_STORE_FAILED",
    });
    expect(breaker.state()).toBe("closed");

    store.mode = "up";
    clock.pass(500);
    breaker.state();
    await settled();
    expect(seen).toEqual([false, true]);
    expect(await store.read("b")).toMatchObject({ forced: { mode: "closed" } });
  });

  test("cannot keep a call waiting beyond storeTimeoutMs", async () => {
    const clock = new FakeClock();
    const store = new RemoteStore(clock);
    store.mode = "silent";
    const breaker = new CircuitBreaker({ name: "b", storeTimeoutMs: 5 }, { clock, store });
    expect(await succeed(breaker)).toBe("ok");
    expect(breaker.explain().store.error?.message).toBe("No answer from the store in 5 ms");
  });

  test("lets no call begin whose caller has given up while it was asked", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ name: "b" }, { clock, store: new RemoteStore(clock) });
    const controller = new AbortController();
    let ran = false;
    const call = breaker.execute(() => (ran = true), { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(ran).toBe(false);
    expect(breaker.explain()).toMatchObject({ calls: { ignored: 1 }, running: 0, zombies: 0 });
  });

  test("load waits for an asynchronous store, so that explain knows what it knows", async () => {
    const clock = new FakeClock();
    const store = new RemoteStore(clock);
    await failTimes(new CircuitBreaker({ name: "b" }, { clock, store }), 5);
    const fresh = new CircuitBreaker({ name: "b" }, { clock, store });
    await fresh.load();
    expect(fresh.explain()).toMatchObject({ state: "open", since: clock.now() });
  });
});

describe("SQLite", () => {
  test("the file is the user's own, and a damaged one is said, not fatal", async () => {
    const path = join(folder, "breaker.db");
    const clock = new FakeClock();
    using store = new SqliteBreakerStateStore(path, { clock });
    const breaker = new CircuitBreaker({ name: "b" }, { clock, store });
    await fail(breaker);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const raw = new DatabaseSync(path);
    raw.exec("UPDATE breaker SET record = '{torn'");
    raw.close();
    clock.pass(500);
    expect(await succeed(breaker)).toBe("ok");
    expect(breaker.explain().store.error?.code).toBe("BREAKER_STORE_FAILED");
  });

  test("another process's long transaction delays nobody beyond the lock's time", async () => {
    const path = join(folder, "breaker.db");
    using store = new SqliteBreakerStateStore(path);
    const breaker = new CircuitBreaker({ name: "b" }, { store });
    await fail(breaker);
    const raw = new DatabaseSync(path);
    raw.exec("BEGIN IMMEDIATE");
    await failTimes(breaker, 4);
    expect(breaker.state()).toBe("open");
    expect(breaker.explain().store.error?.code).toBe("SQLITE_BUSY");
    raw.exec("COMMIT");
    raw.close();
  });
});
