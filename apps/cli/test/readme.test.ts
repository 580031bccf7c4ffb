import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/catalogue.ts";

test("the README has every command", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| `(.+?) *\|/gm)].map((row) => row[1] ?? "");
  const missing = commands.filter(({ name }) => {
    const [group = "", ...rest] = name.split(" ");
    const last = rest.at(-1) ?? group;
    return !rows.some((row) => row.startsWith(group) && row.includes(last));
  });
  expect(missing.map(({ name }) => name)).toEqual([]);
});
