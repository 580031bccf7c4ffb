import { expect, test } from "@jest/globals";
import { workspace } from "./fixture.ts";

test("closing ends what is reading, and says why", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("x", { id: "x" });
  space.store.setFaults(() => new Promise(() => {}));
  const calls = [memory.search("x"), memory.get("x"), memory.compare(), memory.rebuild()];
  const outcomes = Promise.allSettled(calls);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await memory.close();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: expect.objectContaining({ message: expect.stringMatching(/closed|aborted/) }),
    });
  }
});

test("closing at once after a write was accepted still gives it its receipt", async () => {
  await using space = workspace();
  for (let ticks = 0; ticks < 12; ticks++) {
    const memory = space.open();
    const adding = memory.add("x").then(
      ({ durability }) => durability,
      (error: Error) => error.message,
    );
    for (let n = 0; n < ticks; n++) await Promise.resolve();
    await memory.close();
    expect(await adding).toMatch(/^(queued|stored)$|was closed/);
  }
});
