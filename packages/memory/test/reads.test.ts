import { describe, expect, test } from "@jest/globals";
import { CircuitBreaker } from "@holdfast/breaker";
import { systemClock } from "@holdfast/core";
import { breakerOutcome, type Memory } from "@holdfast/memory";
import { unavailable, workspace } from "./fixture.ts";

const TEXTS = ["green tea in the morning", "deploys happen on tuesday", "the cat is called Miso"];

describe("search", () => {
  test("answers from the store, nearest first, and says that it is not degraded", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.addMany(TEXTS.map((text) => ({ text })));
    const result = await memory.search("the cat is called Miso", { limit: 2 });
    expect(result).toMatchObject({ degraded: false, reason: undefined, queued: 0 });
    expect(result.hits).toHaveLength(2);
    expect(result.hits[0]).toMatchObject({ text: "the cat is called Miso" });
    expect(result.hits[0]?.score).toBeCloseTo(1, 5);
    expect(result.hits[1]?.score).toBeLessThan(result.hits[0]?.score as number);
  });

  test("keeps to user, tag and metadata, in the store and in the mirror alike", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.addMany([
      { text: "tea", scope: { user: "ada" }, tags: ["drink"], metadata: { hot: true, n: 1 } },
      { text: "tea", scope: { user: "bob" }, tags: ["drink"], metadata: { hot: false, n: 2 } },
      { text: "tea", scope: { user: "ada" }, metadata: { hot: "true", n: 3 } },
    ]);
    const filters = [
      { scope: { user: "ada" }, tags: ["drink"] },
      { where: { hot: true } },
      { where: { n: 1 } },
    ];
    for (const down of [false, true]) {
      space.store.setFaults(
        down
          ? () => {
              throw unavailable();
            }
          : undefined,
      );
      for (const filter of filters) {
        const { hits, degraded } = await memory.search("tea", filter);
        expect([degraded, hits.map((hit) => hit.metadata["n"])]).toEqual([down, [1]]);
      }
    }
  });

  test("answers from the mirror when the store is down, flagged, with reason and age", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.addMany(TEXTS.map((text) => ({ text })));
    space.store.setFaults(() => {
      throw unavailable();
    });
    await memory.add("the dog is called Waffle");
    const result = await memory.search("What are the Cats called?");
    expect(result).toMatchObject({
      degraded: true,
      reason: "the store is down",
      ageMs: expect.any(Number),
      queued: 1,
    });
    expect(result.hits[0]?.text).toBe("the cat is called Miso");
    expect(result.hits.map((hit) => hit.text)).toContain("the dog is called Waffle");
  });

  test("takes hostile words in a degraded query as words", async () => {
    await using space = workspace();
    const memory = space.open();
    space.store.setFaults(() => {
      throw unavailable();
    });
    await memory.add('say "AND" NEAR( * ) OR -- drop');
    for (const query of ['"', "NEAR(", "a AND", "*", "-- ; '", "🫖"]) {
      expect(await memory.search(query)).toMatchObject({ degraded: true });
    }
    expect((await memory.search("near drop")).hits).toHaveLength(1);
  });

  test("an open breaker degrades recall at once; guard says when to come back", async () => {
    await using space = workspace();
    const breaker = new CircuitBreaker({
      name: "s",
      classify: breakerOutcome,
      failureThreshold: 2,
      recoveryTimeoutMs: 60_000,
    });
    const memory = space.open({}, { breaker });
    await memory.add("remember the milk");
    let calls = 0;
    space.store.setFaults(() => {
      calls += 1;
      throw unavailable();
    });
    await memory.search("milk");
    await memory.search("milk");
    const before = calls;
    const result = await memory.search("milk");
    expect(calls).toBe(before);
    expect(result).toMatchObject({ degraded: true, hits: [{ text: "remember the milk" }] });
    const refused = memory.guard("read", () => Promise.resolve(1));
    await expect(refused).rejects.toMatchObject({
      name: "MemoryServiceUnavailableError",
      code: "MEMORY_UNAVAILABLE",
      retryAfterMs: expect.any(Number),
    });
    expect(await memory.add("and the bread")).toMatchObject({ durability: "queued" });
  });

  test("an open breaker spares the embedder, and lets a search through once its wait is over", async () => {
    await using space = workspace();
    const clock = { ...systemClock, now: () => Date.now() + shiftMs };
    let shiftMs = 0;
    const options = { name: "s", classify: breakerOutcome, failureThreshold: 1 };
    const breaker = new CircuitBreaker({ ...options, recoveryTimeoutMs: 60_000 }, { clock });
    const memory = space.open({}, { breaker });
    await memory.add("remember the milk");
    space.store.setFaults(() => {
      throw unavailable();
    });
    await memory.search("milk");
    const { embedded } = space.embedder;
    const before = embedded.length;
    expect(await memory.search("milk")).toMatchObject({ degraded: true });
    expect(embedded.length).toBe(before);
    space.store.setFaults(undefined);
    shiftMs = 61_000;
    expect(await memory.search("milk")).toMatchObject({ degraded: false });
  });

  test("never shows what was forgotten, changed or expired, though the store still does", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.add("tea at four", { id: "forgotten" });
    await memory.add("tea at five", { id: "changed", tags: ["old"] });
    await memory.add("tea at six", { id: "expired", ttlMs: 40 });
    space.store.setFaults(({ operation }) => {
      if (operation === "upsert" || operation === "delete") throw unavailable();
    });
    await memory.forget(["forgotten"]);
    await memory.update("changed", { text: "tea at seven", tags: ["new"] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...space.store.raw("memories").records.keys()]).toHaveLength(3);
    const { hits, degraded } = await memory.search("tea at four");
    expect(degraded).toBe(false);
    expect(hits.map((hit) => hit.text)).toEqual(["tea at seven"]);
    expect((await memory.search("tea", { tags: ["old"] })).hits).toEqual([]);
    expect((await memory.get("forgotten")).memory).toBeUndefined();
    expect((await memory.get("expired")).memory).toBeUndefined();
    expect((await memory.get("changed")).memory).toMatchObject({ durability: "queued" });
    space.store.setFaults(undefined);
    await memory.drain();
    expect([...space.store.raw("memories").records.keys()]).toEqual(["changed"]);
  });

  test("an empty store is an empty answer; a store error never is", async () => {
    await using space = workspace();
    const memory = space.open();
    expect(await memory.search("anything")).toMatchObject({ hits: [], degraded: false });
    space.store.setFaults(() => {
      throw unavailable();
    });
    expect(await memory.search("anything")).toMatchObject({ hits: [], degraded: true });
  });

  // Somebody else deleted the collection and made one of the same name: it answered, with nothing.
  test("what the store has lost is no empty answer, and no short one", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.addMany(TEXTS.map((text) => ({ text, tags: ["all"] })));
    const { records } = space.store.raw("memories");
    const [first] = records.keys();
    records.clear();
    for (const filter of [{}, { tags: ["all"] }]) {
      const lost = await memory.search("the cat is called Miso", filter);
      expect(lost).toMatchObject({
        degraded: true,
        reason: expect.stringMatching(/^The store finds 0 of at least \d memor/),
      });
      expect(lost.hits[0]?.text).toBe("the cat is called Miso");
    }
    expect(await memory.search("cat", { tags: ["none"] })).toMatchObject({ degraded: false });
    await memory.add("one of three", { id: first as string });
    expect(records.size).toBe(1);
    expect(await memory.search("cat")).toMatchObject({ degraded: true });
  });

  test("what has no distance is shown as far away", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.add("ours");
    const embedding = new Float32Array(16).fill(Number.NaN);
    space.store.raw("memories").records.set("theirs", { document: "x", metadata: {}, embedding });
    const { hits } = await memory.search("ours");
    expect(hits.find(({ id }) => id === "theirs")?.score).toBe(0);
  });
});

describe("get", () => {
  test("finds what another program stored, and does not claim to know its times", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.add("ours");
    space.store.raw("memories").records.set("theirs", {
      document: "by another",
      metadata: { kind: "note" },
      embedding: new Float32Array(16).fill(1),
    });
    expect((await memory.get("theirs")).memory).toMatchObject({
      text: "by another",
      metadata: { kind: "note" },
      revision: 0,
    });
    expect(await memory.compare()).toMatchObject({ equal: true, foreign: 1 });
  });

  test("notices that the store lost or changed a memory, answers from the mirror, repairs it", async () => {
    await using space = workspace();
    const memory = space.open();
    const lost = await memory.add("lost in the store");
    const bent = await memory.add("bent in the store");
    const { records } = space.store.raw("memories");
    records.delete(lost.id);
    const raw = records.get(bent.id);
    if (raw) records.set(bent.id, { ...raw, document: "something else" });
    expect(await memory.compare()).toMatchObject({
      equal: false,
      missing: [lost.id],
      different: [bent.id],
    });
    for (const [id, text] of [
      [lost.id, "lost in the store"],
      [bent.id, "bent in the store"],
    ] as const) {
      expect(await memory.get(id)).toMatchObject({ degraded: true, memory: { text } });
    }
    await memory.drain();
    expect(await memory.compare()).toMatchObject({ equal: true, compared: 2 });
    expect(await memory.get(lost.id)).toMatchObject({ degraded: false });
  });
});

test.each([
  ["changed", (memory: Memory): Promise<unknown> => memory.update("x", { text: "two" }), "two"],
  ["forgotten", (memory: Memory): Promise<unknown> => memory.forget(["x"]), undefined],
])("a get is not degraded by what was %s while it asked", async (_what, write, text) => {
  await using space = workspace();
  const [reader, writer] = [space.open(), space.open()];
  await writer.add("one", { id: "x" });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  space.store.setFaults(({ operation, moment }) => {
    if (operation !== "get" || moment !== "after") return undefined;
    asked.resolve();
    return answer.promise;
  });
  const reading = reader.get("x");
  await asked.promise;
  await write(writer);
  answer.resolve();
  const { memory, ...source } = await reading;
  expect(memory?.text).toBe(text);
  expect(source).toMatchObject({ degraded: false, reason: undefined });
  expect(reader.status().outbox.unsettled).toBe(0);
});

test("list goes newest first, page by page, without the store", async () => {
  await using space = workspace();
  const memory = space.open();
  space.store.setFaults(() => {
    throw unavailable();
  });
  for (const n of [1, 2, 3, 4, 5]) await memory.add(`memory ${n}`, { tags: n % 2 ? ["odd"] : [] });
  const first = memory.list({ limit: 2 });
  expect(first.total).toBe(5);
  const ids: string[] = [];
  for (let page = first; page.memories.length > 0;) {
    ids.push(...page.memories.map(({ text }) => text));
    page = memory.list({ limit: 2, after: page.memories.at(-1)?.id as string });
  }
  expect(ids).toEqual([5, 4, 3, 2, 1].map((n) => `memory ${n}`));
  expect(memory.list({ tags: ["odd"] })).toMatchObject({ total: 3 });
  expect(memory.list().memories[0]).toMatchObject({ durability: "queued" });
});
