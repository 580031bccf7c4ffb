import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/catalogue.ts";
import { GLOBAL_OPTIONS } from "../src/global-options.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

/** The commands that a row of the table is about: in its first cell, the later ones by their last word. */
function namesIn(cell: string): string[] {
  const [first = "", ...later] = [...cell.matchAll(/`([a-z -]+?)(?: [^a-z`][^`]*)?`/g)].map(
    (match) => match[1] ?? "",
  );
  const group = first.split(" ").slice(0, -1);
  return [first, ...later.map((last) => [...group, last].join(" "))];
}

test("the README has a row for every command, and for nothing else", () => {
  const rows = [...README.matchAll(/^\| (`.+?`) +\| /gm)].flatMap((row) => namesIn(row[1] ?? ""));
  expect(rows.toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

test("the README names every option that each command takes", () => {
  for (const [flags] of GLOBAL_OPTIONS) expect(README).toContain(`\`${flags.split(" ")[0]}`);
});
