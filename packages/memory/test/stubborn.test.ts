import { expect, test } from "@jest/globals";
import { FakeClock } from "@holdfast/core/testing";
import { unavailable, workspace, type Workspace } from "./fixture.ts";

const MINUTE_MS = 60_000;

/** A store that says that it took a write, and keeps what it had. */
function losing(space: Workspace): () => number {
  let sends = 0;
  space.store.setFaults(({ operation, moment }) => {
    if (operation !== "upsert") return;
    if (moment === "before") sends += 1;
    else space.store.raw("memories").records.delete("x");
  });
  return () => sends;
}

/** Such that what is sent of "x" is read back. */
async function doubted(space: Workspace, clock: FakeClock): Promise<void> {
  const memory = space.open({}, { clock });
  await memory.add("makes the collection", { id: "other" });
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "upsert" && moment === "after") throw unavailable(true);
  });
  await memory.add("x", { id: "x" });
  space.store.setFaults(undefined);
}

test("a store that does not keep what it was sent is tried again ever later, and the reason stays", async () => {
  await using space = workspace();
  const clock = new FakeClock();
  await doubted(space, clock);
  const sent = losing(space);
  const memory = space.open({}, { clock, random: { next: () => 0.99 } });
  const reason = "the store does not keep what it was sent";
  expect(await memory.drain()).toMatchObject({ queued: 1, stoppedBy: reason });
  const first = memory.status().outbox;
  expect(first).toMatchObject({ records: 1, lastError: reason });
  expect(first.nextAttemptAt).toBeGreaterThan(clock.now());
  await memory.drain();
  const second = memory.status().outbox;
  expect(second.nextAttemptAt).toBeGreaterThan((first.nextAttemptAt ?? 0) + 100);
  const before = sent();
  expect(await memory.add("y", { id: "y" })).toMatchObject({ durability: "queued", reason });
  expect(sent()).toBe(before);

  space.store.setFaults(undefined);
  await clock.advance(MINUTE_MS);
  await memory.drain();
  expect(memory.status().outbox).toMatchObject({ records: 0, lastError: undefined });
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 3 });
});
