import { expect, test } from "@jest/globals";
import { unavailable, workspace } from "./fixture.ts";

test("what has one of these tags is left out, by the store, the mirror, the list and the count", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany([
    { text: "green tea" },
    ...Array.from({ length: 9 }, () => ({ text: "green tea", tags: ["command", "other"] })),
  ]);
  const exceptTags = ["command"];
  for (const down of [false, true]) {
    if (down) {
      space.store.setFaults(() => {
        throw unavailable();
      });
    }
    const { hits, degraded } = await memory.search("green tea", { exceptTags, limit: 3 });
    expect({ degraded, tags: hits.map(({ tags }) => tags) }).toEqual({
      degraded: down,
      tags: [[]],
    });
  }
  expect(memory.list({ exceptTags })).toMatchObject({ total: 1 });
  await memory.add("a command", { tags: ["command"], waitMs: 0 });
  await memory.add("no command", { waitMs: 0 });
  expect((await memory.search("tea", { exceptTags })).queued).toBe(1);
  expect((await memory.search("tea")).queued).toBe(2);
});

test("by itself it is no filter to forget by", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("kept");
  await expect(memory.forget({ exceptTags: ["command"] })).rejects.toMatchObject({
    code: "FORGET_UNSCOPED",
  });
});
