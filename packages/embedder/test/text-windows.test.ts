import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { textWindows } from "../src/text-windows.ts";

const countTokens = (piece: string): number => Math.ceil(piece.length / 3);

test("windows hold every word in order, and none is longer than the model reads", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(words, (some) => {
      const text = some.join(" \n");
      const windows = textWindows(text, { tokensMax: 20, windowsMax: 1_000, countTokens });
      expect(windows.join(" ").split(" ")).toEqual(some);
      for (const window of windows) {
        const tokens = window.split(" ").reduce((sum, word) => sum + countTokens(word), 0);
        expect(tokens).toBeLessThanOrEqual(20);
      }
    }),
  );
});

test("stops at the bound", () => {
  const windows = textWindows("word ".repeat(1_000), { tokensMax: 4, windowsMax: 3, countTokens });
  expect(windows).toEqual(["word word", "word word", "word word"]);
});

test("cuts a run without spaces, and never inside a character", () => {
  const windows = textWindows("😀".repeat(100), { tokensMax: 50, windowsMax: 9, countTokens });
  expect(windows.length).toBeGreaterThan(1);
  expect(windows.join("")).toBe("😀".repeat(100));
  expect(windows.every((window) => window.isWellFormed())).toBe(true);
});

test.each(["", "  \n", "\0"])("gives the model something to read of %j", (text) => {
  expect(textWindows(text, { tokensMax: 4, windowsMax: 3, countTokens })).toEqual([" "]);
});
