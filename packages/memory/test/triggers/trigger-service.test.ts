import { describe, expect, test } from "@jest/globals";
import type { Clock } from "@holdfast/core";
import { MemoryError, TRIGGER_TYPES, type TriggerEvent } from "@holdfast/memory";
import { recorder } from "./fixture.ts";

const said = (text: string): TriggerEvent => ({ type: "task", text });

/** A clock that is set by hand; nothing here sleeps by it. */
function handClock(): Clock & { ms: number } {
  const clock = {
    ms: 1_000_000,
    now: () => clock.ms,
    monotonic: () => clock.ms,
    sleep: () => Promise.reject(new Error("nobody sleeps here")),
  };
  return clock;
}

test("an event becomes a memory with its category, tags and data", async () => {
  const { triggers, memory } = recorder({ ttlMs: 5_000 });
  for (const type of TRIGGER_TYPES) {
    expect(
      triggers.raise({
        type,
        text: `a ${type}`,
        scope: { project: "web" },
        tags: ["own"],
        source: "test",
        priority: "high",
        metadata: { line: 3 },
        context: { step: 2 },
      }),
    ).toBe(true);
  }
  await triggers.flush();
  expect(memory.written).toHaveLength(TRIGGER_TYPES.length);
  expect(memory.written[0]).toMatchObject({
    text: "a command",
    tags: ["command", "own"],
    scope: { project: "web" },
    ttlMs: 5_000,
    metadata: {
      category: "command",
      source: "test",
      priority: "high",
      line: 3,
      context: '{"step":2}',
    },
  });
});

test("events of one turn of the event loop are written with one commit", async () => {
  const { triggers, memory } = recorder({ batchMax: 3 });
  for (const text of ["one", "two", "three", "four"]) triggers.raise(said(text));
  await new Promise((resolve) => setImmediate(resolve));
  await triggers.flush();
  expect(memory.batches).toEqual([3, 1]);
  expect(memory.texts).toEqual(["one", "two", "three", "four"]);
});

// It went round for ever.
test("batches of none are of one", async () => {
  const { triggers, memory } = recorder({ batchMax: 0 });
  for (const text of ["one", "two"]) triggers.raise(said(text));
  await triggers.flush();
  expect(memory.batches).toEqual([1, 1]);
});

test("a batch may wait for more, and flush does not wait", async () => {
  const { triggers, memory } = recorder({ batchWaitMs: 3_600_000 });
  triggers.raise(said("one"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(triggers.status().pending).toBe(1);
  await triggers.flush();
  expect(memory.texts).toEqual(["one"]);
});

describe("merging", () => {
  test("what says the same within the window is counted under one id", async () => {
    const clock = handClock();
    const { triggers, memory } = recorder({ mergeWindowMs: 60_000 }, { clock });
    for (const text of ["Job 17 took 3 ms", "job 18 took  12.5 ms", "another"]) {
      triggers.raise(said(text));
      await triggers.flush();
    }
    const [first, second, other] = memory.written;
    expect(second?.id).toBe(first?.id);
    expect(second?.metadata).toMatchObject({ count: 2 });
    expect(other?.id).not.toBe(first?.id);
    clock.ms += 60_000;
    triggers.raise(said("job 19 took 1 ms"));
    await triggers.flush();
    expect(memory.written.at(-1)?.id).not.toBe(first?.id);
    expect(memory.written.at(-1)?.metadata).not.toHaveProperty("count");
    expect(triggers.status()).toMatchObject({ raised: 4, captured: 4, merged: 1 });
  });

  test("another scope or outcome is another matter", async () => {
    const { triggers, memory } = recorder();
    triggers.raise(said("it ran"));
    triggers.raise({ ...said("it ran"), scope: { user: "ada" } });
    triggers.raise({ ...said("it ran"), outcome: "error" });
    await triggers.flush();
    expect(new Set(memory.written.map(({ id }) => id)).size).toBe(3);
  });

  test("a repetition that still waits is written once, with the count", async () => {
    const { triggers, memory } = recorder();
    for (let n = 0; n < 5; n += 1) triggers.raise(said("again"));
    await triggers.flush();
    expect(memory.written).toHaveLength(1);
    expect(memory.written[0]?.metadata).toMatchObject({ count: 5 });
    expect(triggers.status()).toMatchObject({ captured: 5, merged: 4 });
  });
});

describe("limits", () => {
  test("so many a minute, by type", async () => {
    const clock = handClock();
    const { triggers, memory } = recorder(
      { mergeWindowMs: 0, limits: { task: { perMinute: 2 } } },
      { clock },
    );
    expect([1, 2, 3].map(() => triggers.raise(said("x")))).toEqual([true, true, false]);
    expect(triggers.raise({ type: "error", text: "x" })).toBe(true);
    clock.ms += 60_000;
    expect(triggers.raise(said("x"))).toBe(true);
    await triggers.flush();
    expect(memory.written).toHaveLength(4);
    expect(triggers.status().limited).toBe(1);
  });

  test("not again before the cooldown is over", () => {
    const clock = handClock();
    const { triggers } = recorder({ limits: { task: { cooldownMs: 300_000 } } }, { clock });
    expect(triggers.raise(said("a"))).toBe(true);
    clock.ms += 299_999;
    expect(triggers.raise(said("b"))).toBe(false);
    clock.ms += 1;
    expect(triggers.raise(said("c"))).toBe(true);
  });
});

test("texts that are too short are left out, and of long ones the middle", async () => {
  const { triggers, memory } = recorder({ textLengthMin: 3, textLengthMax: 21 });
  expect(triggers.raise(said("ok"))).toBe(false);
  expect(triggers.raise(said("   "))).toBe(false);
  triggers.raise(said("beginning, middle and the end"));
  await triggers.flush();
  expect(memory.texts).toEqual(["beginning … d the end"]);
  expect(memory.written[0]?.metadata).toMatchObject({ cut: true });
  expect(triggers.status().skipped).toBe(2);
});

describe("the decider", () => {
  test("decides, and may add tags and a lifetime", async () => {
    const { triggers, memory } = recorder(
      { ttlMs: 1_000 },
      {
        decider: {
          decide: ({ text, id, at, scope }) => {
            expect({ id, at, scope }).toEqual({
              id: expect.any(String),
              at: expect.any(Number),
              scope: {},
            });
            return { capture: text !== "no", tags: ["judged"], ttlMs: 9_000 };
          },
        },
      },
    );
    expect(triggers.raise(said("no"))).toBe(false);
    expect(triggers.raise(said("yes"))).toBe(true);
    await triggers.flush();
    expect(memory.written).toMatchObject([{ text: "yes", tags: ["task", "judged"], ttlMs: 9_000 }]);
    expect(triggers.status().declined).toBe(1);
  });

  test("one that is broken does not decide", async () => {
    const told: unknown[] = [];
    const { triggers, memory } = recorder(
      {},
      {
        decider: {
          decide: () => {
            throw new Error("broken rules");
          },
        },
        onError: (error) => told.push(error),
      },
    );
    expect(triggers.raise(said("kept all the same"))).toBe(true);
    await triggers.flush();
    expect(memory.texts).toEqual(["kept all the same"]);
    expect(told).toEqual([expect.objectContaining({ message: "broken rules" })]);
  });
});

describe("an outbox that refuses", () => {
  test("loses what it refused, and says so", async () => {
    const { triggers, memory } = recorder({ mergeWindowMs: 0 });
    memory.failures.push(new MemoryError("full", { code: "OUTBOX_FULL" }));
    triggers.raise(said("one"));
    await triggers.flush();
    triggers.raise(said("two"));
    await triggers.flush();
    expect(memory.texts).toEqual(["two"]);
    expect(triggers.status()).toMatchObject({ captured: 1, failed: 1, lastError: "full" });
  });

  test("one invalid memory does not take its batch with it", async () => {
    const { triggers, memory } = recorder({ mergeWindowMs: 0 });
    const invalid = new MemoryError("bad", { code: "MEMORY_INVALID" });
    memory.failures.push(invalid, invalid);
    for (const text of ["one", "two", "three"]) triggers.raise(said(text));
    await triggers.flush();
    expect(memory.texts).toEqual(["two", "three"]);
    expect(triggers.status()).toMatchObject({ captured: 2, failed: 1 });
  });

  // What was handed over was not counted, so the bound was never reached.
  test("makes no more wait than the bound", async () => {
    const { triggers, memory } = recorder({ mergeWindowMs: 0 });
    const { promise, resolve } = Promise.withResolvers<[]>();
    memory.addMany = () => promise;
    const raised = Array.from({ length: 10_001 }, () => triggers.raise(said("again")));
    expect(raised.filter(Boolean)).toHaveLength(10_000);
    expect(triggers.status()).toMatchObject({
      pending: 10_000,
      failed: 1,
      lastError: "10000 events already wait for the outbox",
    });
    resolve([]);
    await triggers.flush();
    expect(triggers.status()).toMatchObject({ pending: 0, captured: 10_000 });
  });

  // It was a rejection that nobody handled, and nothing was captured any more.
  test("may fail with anything at all", async () => {
    const { triggers, memory } = recorder({ mergeWindowMs: 0 });
    const addMany = memory.addMany.bind(memory);
    memory.addMany = () => {
      memory.addMany = addMany;
      return Promise.reject(undefined);
    };
    for (const text of ["one", "two"]) {
      triggers.raise(said(text));
      await triggers.flush();
    }
    expect(memory.texts).toEqual(["two"]);
    expect(triggers.status()).toMatchObject({ captured: 1, failed: 1, pending: 0 });
  });

  test("who is told may throw, too", async () => {
    const { triggers, memory } = recorder(
      {},
      {
        onError: () => {
          throw new Error("deaf");
        },
      },
    );
    memory.failures.push(new Error("disk"));
    triggers.raise(said("one"));
    await triggers.flush();
    expect(triggers.status()).toMatchObject({
      failed: 1,
      lastError: expect.stringContaining("deaf"),
    });
  });
});

test("switched off, nothing is raised", async () => {
  const { triggers, memory } = recorder({ enabled: false });
  expect(triggers.raise(said("x"))).toBe(false);
  await triggers.flush();
  expect(memory.written).toEqual([]);
  expect(triggers.status().raised).toBe(0);
});
