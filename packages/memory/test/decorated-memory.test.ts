import { expect, test } from "@jest/globals";
import { decoratedMemory, type Memory } from "@holdfast/memory";
import { workspace } from "./fixture.ts";

test("a decorated memory is the same but for what was given, private state included", async () => {
  await using space = workspace();
  const memory = space.open({ waitMs: 0 });
  const asked: string[] = [];
  const loud = decoratedMemory(memory, {
    add: (text, options) => {
      asked.push(text);
      return memory.add(text.toUpperCase(), options);
    },
  });
  const both: Memory = decoratedMemory(loud, { list: () => ({ ...memory.list(), total: 7 }) });
  const { id } = await both.add("tea");
  expect(asked).toEqual(["tea"]);
  expect((await both.get(id)).memory?.text).toBe("TEA");
  expect(both.list()).toMatchObject({ total: 7, memories: [{ text: "TEA" }] });
  expect(both.status().ledger.accepted).toBe(1);
});
