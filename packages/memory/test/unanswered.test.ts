import { describe, expect, test } from "@jest/globals";
import { type Clock, systemClock } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { FaultPoint } from "@holdfast/store/testing";
import { FakeClock } from "@holdfast/core/testing";
import { unavailable, workspace, type Workspace } from "./fixture.ts";

/** What the tests hold back, and let land when they please. */
function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

const isSending = ({ operation, moment }: FaultPoint): boolean =>
  operation === "upsert" && moment === "before";

/** What was held back and let go has come to the store. */
const landed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

/** Two memories, of which one gives the store no time; after its failure, no attempt is due. */
async function opened(
  space: Workspace,
): Promise<{ memory: Memory; hasty: Memory; clock: FakeClock }> {
  const clock = new FakeClock();
  const deps = { clock, random: { next: () => 0.99 } };
  const [memory, hasty] = [space.open({}, deps), space.open({ limits: { writeMs: 50 } }, deps)];
  await memory.add("makes the collection", { id: "other" });
  return { memory, hasty, clock };
}

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
    const { memory, hasty, clock } = await opened(space);
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    expect(await hasty.add("late", { id: "late" })).toMatchObject({ durability: "queued" });
    space.store.setFaults(undefined);
    expect(await memory.forget(["late"])).toMatchObject({ ids: ["late"], durability: "queued" });
    await memory.drain();
    held.open();
    await landed();
    expect(space.store.raw("memories").records.has("late")).toBe(true);

    // Read back again when the time for it has come.
    await clock.advance(60_000);
    await memory.drain();
    expect(space.store.raw("memories").records.has("late")).toBe(false);
    expect((await memory.get("late")).memory).toBeUndefined();
  });

  test("is not settled by further writes of the same moment, which read it back in passing", async () => {
    await using space = workspace();
    const { memory, hasty, clock } = await opened(space);
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    await hasty.add("late", { id: "x", metadata: { late: true } });
    space.store.setFaults(undefined);
    for (const text of ["one", "two", "three"]) {
      await memory.add(text, { id: "x", waitMs: 0 });
      await memory.drain();
    }
    expect(memory.status().outbox.unsettled).toBe(1);
    held.open();
    await landed();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("late");
    await clock.advance(60_000);
    await memory.drain();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("three");
    expect(await memory.compare()).toMatchObject({ equal: true });
  });

  test("is read back once more after the database restarted", async () => {
    await using space = workspace();
    space.store.setIncarnation("first run");
    const { memory, hasty, clock } = await opened(space);
    const held = gate();
    space.store.setFaults((point) => (isSending(point) ? held.promise : undefined));
    await hasty.add("first text", { id: "x" });
    space.store.setFaults(undefined);
    await memory.update("x", { text: "second text" });
    for (let hour = 0; hour < 4; hour++) {
      await memory.drain();
      await clock.advance(3_600_000);
    }
    expect(memory.status().outbox.unsettled).toBe(1);

    held.open();
    await landed();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("first text");
    space.store.setIncarnation("second run");
    await memory.drain();
    expect(space.store.raw("memories").records.get("x")?.document).toBe("second text");
    await clock.advance(3_600_000);
    await memory.drain();
    expect(memory.status().outbox.unsettled).toBe(0);
  });
});

describe("two drainers", () => {
  test("one that lost its lease books nothing, and what it sent late is put right", async () => {
    await using space = workspace();
    const stopped = space.open({ leaseMs: 60, limits: { writeMs: 5_000 } });
    await stopped.add("makes the collection", { id: "other" });
    const [sent, held] = [gate(), gate()];
    let first = true;
    space.store.setFaults((point) => {
      if (!isSending(point) || !first) return undefined;
      first = false;
      sent.open();
      return held.promise;
    });
    const sending = stopped.add("from the stopped one", { id: "x", waitMs: 2_000 });
    await sent.promise;

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
