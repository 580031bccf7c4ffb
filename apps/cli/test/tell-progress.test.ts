import { expect, test } from "@jest/globals";
import { progressTeller } from "../src/backup/tell-progress.ts";

test("long work tells how far it is, how fast, and how much time is left", () => {
  const lines: string[] = [];
  let now = 0;
  const output = { json: true, note: (line: string) => void lines.push(line) };
  const { onProgress } = progressTeller(output, () => now);
  onProgress({ stage: "memories", done: 500, total: 10_000 });
  now = 1_000;
  onProgress({ stage: "memories", done: 1_500, total: 10_000 });
  now = 4_000;
  onProgress({ stage: "memories", done: 4_500, total: 10_000 });
  // Another stage counts by itself; of what has no known end nothing is foretold.
  onProgress({ stage: "others", done: 0, total: undefined });
  now = 8_000;
  onProgress({ stage: "others", done: 800, total: undefined });
  expect(lines).toEqual([
    "4500 of 10000 memories read, 1000 a second, 5.5 s left",
    "800 records of the store looked at, 200 a second",
  ]);
});

test("two stages side by side are told at their own rates", () => {
  const lines: string[] = [];
  let now = 0;
  const output = { json: true, note: (line: string) => void lines.push(line) };
  const { onProgress } = progressTeller(output, () => now);
  for (let step = 0; step <= 4; step += 1) {
    now = step * 1_000;
    onProgress({ stage: "stage", done: step * 500, total: 4_000 });
    onProgress({ stage: "store", done: step * 100, total: 4_000 });
  }
  expect(lines).toEqual(["1500 of 4000 memories prepared, 500 a second, 5 s left"]);
});
