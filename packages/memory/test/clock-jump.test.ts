import { expect, test } from "@jest/globals";
import { FakeClock } from "@holdfast/core/testing";
import { unavailable, workspace } from "./fixture.ts";

const DAY_MS = 86_400_000;

test("set back while writes wait for an attempt: it is due now, not in a day", async () => {
  await using space = workspace(() => {
    throw unavailable();
  });
  const clock = new FakeClock();
  const memory = space.open({ background: false }, { clock });
  await memory.add("waits", { waitMs: 0 });
  await memory.drain();
  const { nextAttemptAt } = memory.status().outbox;
  expect(nextAttemptAt).toBeGreaterThanOrEqual(clock.now());
  clock.jump(-DAY_MS);
  expect(memory.status().outbox.nextAttemptAt).toBeUndefined();
});

test("set back while an unanswered write is to be read back: that is not put off by a day", async () => {
  await using space = workspace();
  const clock = new FakeClock();
  const memory = space.open({ background: false }, { clock });
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "upsert" && moment === "after") throw unavailable(true);
  });
  await memory.add("applied, but nobody said so", { id: "x", waitMs: 0 });
  await memory.drain();
  space.store.setFaults(undefined);
  await memory.drain();
  expect(memory.status().outbox).toMatchObject({ records: 0, unsettled: 1 });
  clock.jump(-DAY_MS);
  // Its second reading is its last one: this store has no restarts to tell apart.
  await memory.drain();
  expect(memory.status().outbox.unsettled).toBe(0);
});

test("set back since the store answered: a degraded recall does not call that fresh", async () => {
  await using space = workspace();
  const clock = new FakeClock();
  const memory = space.open({ background: false }, { clock });
  await memory.add("remember the milk", { waitMs: 0 });
  await memory.drain();
  space.store.setFaults(() => {
    throw unavailable();
  });
  await clock.advance(5_000);
  expect(await memory.search("milk")).toMatchObject({ degraded: true, ageMs: 5_000 });
  clock.jump(-DAY_MS);
  expect(await memory.search("milk")).toMatchObject({ degraded: true, ageMs: undefined });
});

test.each([DAY_MS, -DAY_MS])(
  "a drainer at work keeps its turn when it jumps by %i ms",
  async (ms) => {
    await using space = workspace();
    const clock = new FakeClock();
    const [one, other] = [
      space.open({ background: false }, { clock }),
      space.open({ background: false }, { clock }),
    ];
    await one.add("first", { id: "first", waitMs: 0 });
    await one.drain();
    const sending = Promise.withResolvers<void>();
    const sent = Promise.withResolvers<void>();
    let sends = 0;
    space.store.setFaults(({ operation, moment }) => {
      if (operation !== "upsert" || moment !== "before") return undefined;
      sends += 1;
      sending.resolve();
      return sent.promise;
    });
    await one.add("second", { id: "second", waitMs: 0 });
    const draining = one.drain();
    await sending.promise;
    clock.jump(ms);
    const waiting = other.drain();
    await clock.advance(100);
    expect(sends).toBe(1);
    sent.resolve();
    await draining;
    await clock.advance(100);
    await waiting;
    expect(sends).toBe(1);
    expect(one.status().ledger).toMatchObject({ accepted: 2, stored: 2, residual: 0 });
  },
);
