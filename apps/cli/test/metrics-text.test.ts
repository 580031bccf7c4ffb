import { expect, test } from "@jest/globals";
import { percent, runs, took } from "../src/metrics-text.ts";
import { sparkline } from "../src/sparkline.ts";

test.each([
  [null, "–"],
  [0, "0 %"],
  [0.5, "50 %"],
  [0.9166, "91.6 %"],
  [0.999, "99.9 %"],
  // What is not all is never called all.
  [0.99999, "99.99 %"],
  [1, "100 %"],
])("a share of %p is %s", (share, text) => {
  expect(percent(share)).toBe(text);
});

test.each([
  [null, "–"],
  [0.1234, "0.12 ms"],
  [12.3, "12 ms"],
  [4_200, "4.2 s"],
])("%p milliseconds are %s", (ms, text) => {
  expect(took(ms)).toBe(text);
});

test("runs are told with what they were worth", () => {
  const tally = { total: 5, failed: 1, successRate: 0.75, outcomes: { degraded: 2, stored: 1 } };
  expect(runs(tally)).toBe("5 runs, 75 % succeeded (2 degraded), 1 failed");
  expect(runs({ total: 1, failed: 0, successRate: null, outcomes: {} })).toBe("1 run");
});

test("a sparkline is as high as its share of the largest, and blank where nothing is", () => {
  expect(sparkline([0, 1, 4, 8, null])).toBe("▁▂▅█ ");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([])).toBe("");
});
