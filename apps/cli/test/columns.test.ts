import { expect, test } from "@jest/globals";
import { columns } from "../src/output.ts";

const ROWS = [
  ["NAME", "SIZE", "WHAT IT HOLDS"],
  ["memories", "12", "what was said, and when, and by whom"],
  ["p", "3", "/a/path/that/is/never/broken"],
];

test("with room enough, every column is as wide as its widest cell", () => {
  expect(columns(ROWS, 100)).toBe(`NAME      SIZE  WHAT IT HOLDS
memories  12    what was said, and when, and by whom
p         3     /a/path/that/is/never/broken`);
});

test("the last column is wrapped between words where it can be read", () => {
  expect(columns(ROWS, 42)).toBe(`NAME      SIZE  WHAT IT HOLDS
memories  12    what was said, and when,
                and by whom
p         3     /a/path/that/is/never/broken`);
});

test("else what finds no room goes on in further lines, every row's at the same column", () => {
  expect(columns(ROWS, 24)).toBe(`NAME      SIZE
  WHAT IT HOLDS
memories  12
  what was said, and
  when, and by whom
p         3
  /a/path/that/is/never/broken`);
});

test("colours take no room, and an empty cell no line", () => {
  const painted = "\u001b[32mok\u001b[39m";
  expect(
    columns(
      [
        [painted, "x"],
        ["long", "y"],
      ],
      80,
    ),
  ).toBe(`${painted}    x\nlong  y`);
  expect(
    columns(
      [
        ["label", ""],
        ["other", "word ".repeat(9).trim()],
      ],
      20,
    ),
  ).toBe(`label\nother\n  word word word\n  word word word\n  word word word`);
});
