import { expect, test } from "@jest/globals";
import { StoreError } from "@holdfast/store";
import type { FaultPoint } from "@holdfast/store/testing";
import { workspace } from "./fixture.ts";

const refusePuts = ({ operation, moment }: FaultPoint): void => {
  if (operation !== "upsert" || moment !== "before") return;
  throw new StoreError("refused", { code: "STORE_REJECTED" });
};

test("one of two letters of an id is given up: the other can still be tried again", async () => {
  await using space = workspace();
  const memory = space.open();
  space.store.setFaults(refusePuts);
  await memory.add("first", { id: "x" });
  await memory.update("x", { text: "second" });
  const [first, second] = memory.deadLetters();
  expect(memory.discardDead([second?.seq as number])).toBe(1);
  expect((await memory.get("x")).memory).toMatchObject({ text: "first", durability: "dead" });

  space.store.setFaults(undefined);
  expect(memory.retryDead([first?.seq as number])).toBe(1);
  // It tried the same entry for ever, since nothing in the mirror was of its revision.
  await memory.drain({ signal: AbortSignal.timeout(20_000) });
  expect(space.store.raw("memories").records.get("x")?.document).toBe("first");
  expect(memory.status().ledger).toMatchObject({
    accepted: 2,
    stored: 1,
    discarded: 1,
    residual: 0,
  });
});

test("giving up an older letter leaves the memory as its newest write has it", async () => {
  await using space = workspace();
  const memory = space.open();
  space.store.setFaults(refusePuts);
  await memory.add("first", { id: "x" });
  await memory.update("x", { text: "second" });
  memory.discardDead([memory.deadLetters()[0]?.seq as number]);
  expect((await memory.get("x")).memory).toMatchObject({ text: "second", durability: "dead" });
});

test("a memory that was stored survives its refused update, though its write is kept no more", async () => {
  await using space = workspace();
  const memory = space.open({ outbox: { keptRecordsMax: 0 } });
  await memory.add("stored", { id: "x", metadata: { a: 1 } });
  space.store.setFaults(refusePuts);
  await memory.update("x", { text: "refused" });
  space.store.setFaults(undefined);
  memory.discardDead(memory.deadLetters().map(({ seq }) => seq));
  expect(memory.list().memories).toMatchObject([
    { id: "x", text: "stored", metadata: { a: 1 }, durability: "stored" },
  ]);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 1 });
  await memory.drain();
  expect(memory.status().ledger).toMatchObject({ stored: 1, discarded: 1, residual: 0 });
});

test("an id that is forgotten and refused when used again leaves the store all the same", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("forgotten text", { id: "x" });
  space.store.setFaults(refusePuts);
  await memory.forget(["x"], { waitMs: 0 });
  await memory.add("refused text", { id: "x" });
  await memory.drain({ signal: AbortSignal.timeout(20_000) });
  expect(space.store.raw("memories").records.has("x")).toBe(false);
  expect(memory.deadLetters()).toMatchObject([{ id: "x", operation: "put" }]);
  expect(memory.status().ledger).toMatchObject({ stored: 2, dead: 1, residual: 0 });

  memory.discardDead(memory.deadLetters().map(({ seq }) => seq));
  expect((await memory.get("x")).memory).toBeUndefined();
  expect((await memory.search("forgotten text")).hits).toEqual([]);
});

test("what was forgotten stays so when the write that used its id again is given up", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("forgotten text", { id: "x" });
  space.store.setFaults((point) => {
    if (point.operation === "delete") throw new StoreError("down", { code: "STORE_UNAVAILABLE" });
    refusePuts(point);
  });
  await memory.forget(["x"], { waitMs: 0 });
  await memory.add("refused text", { id: "x" });
  await memory.drain();
  memory.discardDead(memory.deadLetters().map(({ seq }) => seq));
  expect((await memory.get("x")).memory).toBeUndefined();
  expect((await memory.search("forgotten text")).hits).toEqual([]);
});
