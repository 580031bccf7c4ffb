import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import { CircuitBreaker } from "@holdfast/breaker";
import { breakerOutcome } from "@holdfast/memory";
import { StoreError } from "@holdfast/store";
import { letterEmbedder, unavailable, workspace } from "./fixture.ts";

describe("add", () => {
  test("is stored, with text, metadata, scope, tags and vector as given", async () => {
    await using space = workspace();
    const memory = space.open();
    const receipt = await memory.add("Ada prefers tea", {
      id: "a/b\"c'",
      metadata: { mood: "calm", score: 0.5, count: 3, ok: true },
      scope: { user: "ada", project: "home" },
      tags: ["drink", "drink", "taste"],
    });
    expect(receipt).toEqual({
      id: "a/b\"c'",
      revision: 1,
      durability: "stored",
      reason: undefined,
    });
    const got = await memory.get("a/b\"c'");
    expect(got).toMatchObject({ degraded: false, queued: 0 });
    expect(got.memory).toMatchObject({
      text: "Ada prefers tea",
      metadata: { mood: "calm", score: 0.5, count: 3, ok: true },
      scope: { user: "ada", project: "home" },
      tags: ["drink", "taste"],
      revision: 1,
      durability: "stored",
    });
    expect(await memory.compare()).toMatchObject({ equal: true, compared: 1, foreign: 0 });
    expect(memory.status().ledger).toMatchObject({
      accepted: 1,
      stored: 1,
      queued: 0,
      residual: 0,
    });
  });

  test("a NUL ends no text, in the store, in the mirror and in its index", async () => {
    await using space = workspace();
    const memory = space.open();
    const text = "tea before\0coffee after";
    const { id, durability } = await memory.add(text);
    expect(durability).toBe("stored");
    expect((await memory.get(id)).memory?.text).toBe(text);
    expect(memory.list().memories[0]?.text).toBe(text);
    expect(await memory.compare()).toMatchObject({ equal: true });
    space.store.setFaults(() => {
      throw unavailable();
    });
    const found = await memory.search("coffee");
    expect([found.degraded, found.hits[0]?.text]).toEqual([true, text]);
  });

  test("is queued, with the reason, while the store is down; drained once it is back", async () => {
    await using space = workspace();
    const memory = space.open();
    space.store.setFaults(() => {
      throw unavailable();
    });
    const receipt = await memory.add("keep this");
    expect(receipt).toMatchObject({ durability: "queued", reason: "the store is down" });
    expect(memory.status()).toMatchObject({
      ledger: { accepted: 1, stored: 0, queued: 1, residual: 0 },
      outbox: { records: 1, lastError: "the store is down" },
    });
    space.store.setFaults(undefined);
    expect(await memory.drain()).toMatchObject({ stored: 1, queued: 0, stoppedBy: undefined });
    expect((await memory.get(receipt.id)).memory?.durability).toBe("stored");
  });

  // What waited for the breaker waited on for up to a minute, and new writes with it.
  test.each([
    ["a circuit of its own", { operations: { write: {} } }],
    ["the one circuit", {}],
  ])("waits for %s no longer than until it is reset", async (_name, operations) => {
    await using space = workspace();
    const breaker = new CircuitBreaker({ name: "shared", classify: breakerOutcome, ...operations });
    const memory = space.open({}, { breaker });
    await breaker.forceOpen("moving the database");
    expect(await memory.add("meanwhile")).toMatchObject({
      durability: "queued",
      reason: expect.stringContaining("moving the database"),
    });
    expect(memory.status().outbox.nextAttemptAt).toBeGreaterThan(Date.now());
    await breaker.reset("it has moved");
    expect(memory.status().outbox.nextAttemptAt).toBeUndefined();
    expect(await memory.add("afterwards")).toMatchObject({ durability: "stored" });
    expect(memory.status().ledger).toMatchObject({ accepted: 2, stored: 2, queued: 0 });
  });

  test("takes up again, in another process, what was queued", async () => {
    await using space = workspace();
    const first = space.open();
    const { id } = await first.add("from the first", { waitMs: 0 });
    await first.close();
    const second = space.open();
    expect(second.status().ledger.queued).toBe(1);
    await second.drain();
    expect(space.store.raw("memories").records.get(id)?.document).toBe("from the first");
  });

  test("accepts many in one step or none at all", async () => {
    await using space = workspace();
    const memory = space.open();
    await expect(memory.addMany([{ text: "good" }, { text: "" }])).rejects.toMatchObject({
      code: "MEMORY_INVALID",
    });
    expect(memory.list().total).toBe(0);
    expect(memory.status().ledger).toMatchObject({ accepted: 0, refused: 2, residual: 0 });
    const receipts = await memory.addMany([{ text: "one" }, { text: "two" }]);
    expect(receipts.map((receipt) => receipt.durability)).toEqual(["stored", "stored"]);
  });

  test("refuses when the outbox is full, and loses nothing that it accepted", async () => {
    await using space = workspace();
    const memory = space.open({ outbox: { recordsMax: 2 } });
    await memory.add("one", { waitMs: 0 });
    await memory.add("two", { waitMs: 0 });
    await expect(memory.add("three")).rejects.toMatchObject({
      code: "OUTBOX_FULL",
      retryable: true,
    });
    await memory.drain();
    expect(memory.status().ledger).toMatchObject({
      accepted: 2,
      stored: 2,
      refused: 1,
      residual: 0,
    });
  });

  test.each([
    ["an empty text", "", {}],
    ["half a surrogate pair", "\ud800", {}],
    ["an id that holds a NUL", "text", { id: "a\0b" }],
    ["a text over a megabyte", "x".repeat(1024 * 1024 + 1), {}],
    ["an empty id", "x", { id: "" }],
    ["nested metadata", "x", { metadata: { deep: {} as never } }],
    ["null in metadata", "x", { metadata: { none: null as never } }],
    ["NaN", "x", { metadata: { n: Number.NaN } }],
    ["a whole number beyond 2^53", "x", { metadata: { n: 2 ** 60 } }],
    ["a reserved key", "x", { metadata: { "hf:stamp": "1" } }],
    ["an unknown part of a scope", "x", { scope: { team: "a" } as never }],
    ["an empty tag", "x", { tags: [""] }],
    // No backup could be made any more.
    ["tags of megabytes", "x", { tags: ["y".repeat(2 ** 20)] }],
    ["a scope of megabytes", "x", { scope: { user: "y".repeat(2 ** 20) } }],
    ["no lifetime", "x", { ttlMs: 0 }],
  ])("refuses %s with a hint, and accepts nothing", async (_name, text, options) => {
    await using space = workspace();
    const memory = space.open();
    await expect(memory.add(text, options)).rejects.toMatchObject({
      code: "MEMORY_INVALID",
      hint: expect.any(String),
    });
    expect(memory.list().total).toBe(0);
  });

  test("refuses another embedder before anything is written", async () => {
    await using space = workspace();
    await space.open().add("made with letters");
    const other = space.open({}, { embedder: letterEmbedder("other") });
    await expect(other.add("made with another")).rejects.toMatchObject({
      code: "EMBEDDER_MISMATCH",
      message: expect.stringContaining("letters"),
    });
    expect(other.status().ledger).toMatchObject({ accepted: 1, residual: 0 });
  });
});

describe("update", () => {
  test("replaces what it names; a removed metadata key is gone from the store too", async () => {
    await using space = workspace();
    const memory = space.open();
    const { id } = await memory.add("first", { metadata: { a: 1, b: 2 }, tags: ["x"] });
    await memory.update(id, { metadata: { b: 3 }, tags: [] });
    const raw = space.store.raw("memories").records.get(id);
    expect(raw?.metadata).not.toHaveProperty("a");
    expect(raw?.metadata).not.toHaveProperty("hf:tag:x");
    expect(raw?.metadata).toHaveProperty("b", 3);
    expect((await memory.get(id)).memory).toMatchObject({ text: "first", revision: 2 });
    expect(await memory.compare()).toMatchObject({ equal: true });
  });

  test("embeds again only when the text changed", async () => {
    await using space = workspace();
    const memory = space.open();
    const { id } = await memory.add("same words");
    await memory.update(id, { metadata: { a: 1 } });
    expect(space.embedder.embedded).toEqual(["same words"]);
    await memory.update(id, { text: "new words" });
    expect(space.embedder.embedded).toEqual(["same words", "new words"]);
  });

  test("of an unknown id says so", async () => {
    await using space = workspace();
    await expect(space.open().update("nobody", { text: "x" })).rejects.toMatchObject({
      code: "MEMORY_NOT_FOUND",
    });
  });
});

describe("a store that refuses", () => {
  const refusing = new StoreError("metadata refused", { code: "STORE_REJECTED" });

  test("has only the refused record put aside; the rest is stored", async () => {
    await using space = workspace();
    const memory = space.open();
    space.store.setFaults(({ operation, moment, ids }) => {
      if (operation === "upsert" && moment === "before" && ids.includes("bad")) throw refusing;
    });
    const receipts = await memory.addMany(
      ["a", "b", "bad", "c", "d"].map((id) => ({ id, text: `text of ${id}` })),
    );
    expect(receipts.map(({ id, durability }) => `${id}:${durability}`)).toEqual([
      "a:stored",
      "b:stored",
      "bad:dead",
      "c:stored",
      "d:stored",
    ]);
    expect(receipts[2]?.reason).toBe("metadata refused");
    expect(memory.deadLetters()).toEqual([
      expect.objectContaining({ id: "bad", reason: "metadata refused", operation: "put" }),
    ]);
    expect(memory.status().ledger).toMatchObject({ accepted: 5, stored: 4, dead: 1, residual: 0 });

    space.store.setFaults(undefined);
    expect(memory.retryDead()).toBe(1);
    await memory.drain();
    expect(memory.status().ledger).toMatchObject({ stored: 5, dead: 0, residual: 0 });
    expect((await memory.get("bad")).memory?.text).toBe("text of bad");
  });

  test("lets a dead letter be given up: a new memory goes, an update falls back", async () => {
    await using space = workspace();
    const memory = space.open();
    await memory.add("good", { id: "kept" });
    space.store.setFaults(({ operation, moment }) => {
      if (operation === "upsert" && moment === "before") throw refusing;
    });
    await memory.update("kept", { text: "refused" });
    await memory.add("never", { id: "new" });
    space.store.setFaults(undefined);
    expect(memory.discardDead(memory.deadLetters().map(({ seq }) => seq))).toBe(2);
    expect(memory.list().memories.map(({ id, text }) => [id, text])).toEqual([["kept", "good"]]);
    expect((await memory.get("kept")).memory).toMatchObject({ text: "good", durability: "stored" });
    expect(memory.status().ledger).toMatchObject({
      accepted: 3,
      stored: 1,
      discarded: 2,
      residual: 0,
    });
  });
});

test("keeps what was stored for replay only up to its bound", async () => {
  await using space = workspace();
  const memory = space.open({ outbox: { keptRecordsMax: 3 } });
  for (let n = 0; n < 6; n++) await memory.add(`memory ${n}`);
  const db = new DatabaseSync(`${space.directory}/memory.db`, { readOnly: true });
  expect(db.prepare("SELECT count(*) AS n FROM entry").get()).toMatchObject({ n: 3 });
  db.close();
  expect(memory.status().ledger).toMatchObject({ accepted: 6, stored: 6, residual: 0 });
});

test("closing while a write waits gives that write its receipt: queued", async () => {
  await using space = workspace();
  const memory = space.open({ limits: { writeMs: 60_000 } });
  const asked = Promise.withResolvers<void>();
  space.store.setFaults(() => {
    asked.resolve();
    return new Promise(() => {});
  });
  const waiting = memory.add("slow store");
  await asked.promise;
  await memory.close();
  expect(await waiting).toMatchObject({ durability: "queued" });
  const next = space.open();
  space.store.setFaults(undefined);
  await next.drain();
  expect(next.status().ledger).toMatchObject({ accepted: 1, stored: 1, residual: 0 });
});
