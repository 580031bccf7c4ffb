import { expect, test } from "@jest/globals";
import { warnOfSource } from "../src/memory-text.ts";
import type { Output } from "../src/output.ts";

test.each([
  [1, "1 accepted memory is not in the store yet, where this search cannot find it"],
  [2, "2 accepted memories are not in the store yet, where this search cannot find them"],
])("%d queued memories are told of a search", (queued, told) => {
  const said: string[] = [];
  const output = { warn: (text: string) => void said.push(text) } as unknown as Output;
  warnOfSource(output, { degraded: false, reason: undefined, ageMs: 0, queued });
  expect(said).toEqual([told]);
});
