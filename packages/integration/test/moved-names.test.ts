import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const page = readFileSync(join(ROOT, "docs/move-from-the-python-cli.md"), "utf8");
const ROW = /^\|[^|]*\| `([A-Za-z.]+)` +\| `@holdfast\/([a-z]+)` +\|$/gm;
const rows = [...page.matchAll(ROW)].map(([, name = "", pkg = ""]) => [pkg, name] as const);

test("the page has its table", () => expect(rows.length).toBeGreaterThan(10));

test.each(rows)("@holdfast/%s exports %s, as the page says", (pkg, name) => {
  const [exported = "", member] = name.split(".");
  const index = readFileSync(join(ROOT, "packages", pkg, "src/index.ts"), "utf8");
  expect(index).toMatch(new RegExp(`[{,]\\s*(type |\\w+ as )?${exported}\\b`));
  if (member === undefined) return;
  const source = readFileSync(join(ROOT, "packages", pkg, "src/memory.ts"), "utf8");
  expect(source).toMatch(new RegExp(`^  ${member}<`, "m"));
});
