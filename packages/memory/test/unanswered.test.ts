import { describe, expect, test } from "@jest/globals";
import { type Clock, systemClock } from "@holdfast/core";
import type { FaultPoint } from "@holdfast/store/testing";
import { unavailable, workspace } from "./fixture.ts";

/** What the tests hold back, and let land when they please. */
function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

const isSending = ({ operation, moment }: FaultPoint): boolean =>
  operation === "upsert" && moment === "before";

describe("a write that ends without an answer", () => {
  test("was applied after all: it is stored once, and the ledger balances", async () => {
    await using space = workspace();
    const memory = space.open();
    space.store.setFaults(({ operation, moment }) => {
      if (operation === "upsert" && moment === "after") throw unavailable(true);
    });
    const receipt = await memory.add("applied, but nobody said so");
    expect(receipt.durability).toBe("queued");
    expect(memory.status().outbox.unsettled).toBe(1);
    space.store.setFaults(undefined);
    await memory.drain();
    expect(memory.status().ledger).toMatchObject({
      accepted: 1,
      stored: 1,
      queued: 0,
      residual: 0,
    });
    expect(space.store.raw("memories").records.size).toBe(1);
  });

  test("lands after a forget: it is found by reading back, and does not rise again", async () => {
    await using space = workspace();
    const memory = space.open({ limits: { writeMs: 50 } });
    await memory.add("makes the collection", { id: "other" });
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    expect(await memory.add("late", { id: "late" })).toMatchObject({ durability: "queued" });
    space.store.setFaults(undefined);
    expect(await memory.forget(["late"])).toMatchObject({ ids: ["late"], durability: "queued" });
    await memory.drain();
    held.open();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(space.store.raw("memories").records.has("late")).toBe(true);

    // Read back again when the time for it has come.
    const later = space.open({}, { clock: shifted(60_000) });
    await later.drain();
    expect(space.store.raw("memories").records.has("late")).toBe(false);
    expect((await later.get("late")).memory).toBeUndefined();
  });

  test("is not settled by further writes of the same moment, which read it back in passing", async () => {
    await using space = workspace();
    const memory = space.open({ limits: { writeMs: 50 } });
    await memory.add("makes the collection", { id: "other" });
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    await memory.add("late", { id: "x", metadata: { late: true } });
    space.store.setFaults(undefined);
    for (const text of ["one", "two", "three"]) {
      await memory.add(text, { id: "x", waitMs: 0 });
      await memory.drain();
    }
    expect(memory.status().outbox.unsettled).toBe(1);
    held.open();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(space.store.raw("memories").records.get("x")?.document).toBe("late");
    await space.open({}, { clock: shifted(60_000) }).drain();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("three");
    expect(await memory.compare()).toMatchObject({ equal: true });
  });

  test("is read back once more after the database restarted", async () => {
    await using space = workspace();
    space.store.setIncarnation("first run");
    const memory = space.open({ limits: { writeMs: 50 } });
    await memory.add("makes the collection", { id: "other" });
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    await memory.add("first text", { id: "x" });
    space.store.setFaults(undefined);
    await memory.update("x", { text: "second text" });
    await memory.drain();
    for (const hours of [1, 2, 3])
      await space.open({}, { clock: shifted(hours * 3_600_000) }).drain();
    expect(memory.status().outbox.unsettled).toBe(1);

    held.open();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(space.store.raw("memories").records.get("x")?.document).toBe("first text");
    space.store.setIncarnation("second run");
    const after = space.open();
    await after.drain();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("second text");
    await space.open({}, { clock: shifted(3_600_000 * 8) }).drain();
    expect(after.status().outbox.unsettled).toBe(0);
  });
});

describe("two drainers", () => {
  test("one that lost its lease books nothing, and what it sent late is put right", async () => {
    await using space = workspace();
    const stopped = space.open({ leaseMs: 60, limits: { writeMs: 5_000 } });
    await stopped.add("makes the collection", { id: "other" });
    const held = gate();
    let first = true;
    space.store.setFaults((point) => {
      if (!isSending(point) || !first) return undefined;
      first = false;
      return held.promise;
    });
    const sending = stopped.add("from the stopped one", { id: "x", waitMs: 2_000 });
    await new Promise((resolve) => setTimeout(resolve, 20));

    // As if the first process had been stopped for longer than its lease.
    const other = space.open({}, { clock: shifted(120_000) });
    expect(await other.forget(["x"])).toMatchObject({ ids: ["x"], durability: "stored" });
    held.open();
    await sending;
    await other.drain();
    await stopped.drain();
    expect(space.store.raw("memories").records.has("x")).toBe(false);
    expect(other.status().ledger).toMatchObject({ accepted: 3, stored: 3, queued: 0, residual: 0 });
  });

  test("take turns: writes from both are stored once each", async () => {
    await using space = workspace();
    const [a, b] = [space.open(), space.open()];
    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? a : b).add(`memory ${n}`, { id: `m${n}` })),
    );
    expect(new Set(receipts.map(({ durability }) => durability))).toEqual(new Set(["stored"]));
    expect(space.store.raw("memories").records.size).toBe(40);
    expect(a.status().ledger).toMatchObject({ accepted: 40, stored: 40, residual: 0 });
    expect(await b.compare()).toMatchObject({ equal: true, compared: 40 });
  });
});

function shifted(byMs: number): Clock {
  return {
    now: () => Date.now() + byMs,
    monotonic: () => systemClock.monotonic() + byMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, delayMs);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
  };
}
