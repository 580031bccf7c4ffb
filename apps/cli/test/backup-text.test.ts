import { expect, test } from "@jest/globals";
import type { RestoreDifference } from "@holdfast/memory";
import { differenceText } from "../src/backup/backup-text.ts";

const changed = (now: string, after: string): RestoreDifference => ({
  added: 0,
  changed: 1,
  removed: 0,
  unchanged: 0,
  forgotten: 0,
  others: undefined,
  samples: { added: [], changed: [{ id: "a", now, after }], removed: [] },
});

test.each([
  ["short", "tea at four", "tea at five", "tea at four → tea at five"],
  [
    "alike for long",
    `${"word ".repeat(20)}ended after 2 s`,
    `${"word ".repeat(20)}ended after 9 s`,
    "…d after 2 s → …d after 9 s",
  ],
  [
    "alike up to within a character",
    `${"word ".repeat(20)}😀😀😀😀 one`,
    `${"word ".repeat(20)}😀😀😀😀 two`,
    "…😀😀😀 one → …😀😀😀 two",
  ],
])("a changed memory shows what differs: %s", (_what, now, after, shown) => {
  expect(differenceText(changed(now, after))[1]).toBe(`  ~ a  ${shown}`);
});
