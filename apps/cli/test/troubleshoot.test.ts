import { expect, test } from "@jest/globals";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { STATUS_OF_CODE, statusOf } from "../src/exit-codes.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = readFileSync(join(ROOT, "docs/troubleshoot.md"), "utf8");

/** Written like codes in the sources, and none: variables, and what Node and TLS call things. */
const OTHERS =
  /^(HOLDFAST_|XDG_|EAI_|ERR_|UND_ERR_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|NO_COLOR$|MODULE_NOT_FOUND$|CLAUDE_PROJECT_DIR$|ANONYMIZED_TELEMETRY$)/;

/** Codes of one word; every other one has an underscore. */
const SINGLE = ["USAGE", "INTERRUPTED", "TERMINATED", "UNEXPECTED"];

/** Every code that a source names, with where. */
function codesInSources(): Map<string, string> {
  const found = new Map<string, string>();
  const patterns = ["packages/*/src/**/*.ts", "apps/cli/src/**/*.ts"];
  for (const file of globSync(patterns, { cwd: ROOT })) {
    if (file.startsWith("packages/testkit/")) continue;
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [, code = ""] of text.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"/g))
      if (SINGLE.includes(code) || (code.includes("_") && !OTHERS.test(code)))
        found.set(code, file);
  }
  return found;
}

interface Row {
  code: string;
  cells: string[];
}

const rows: Row[] = [...PAGE.matchAll(/^\| `([A-Z0-9_]+)` +\|(.+)\|$/gm)].map((row) => ({
  code: row[1] ?? "",
  cells: (row[2] ?? "").split("|").map((cell) => cell.trim()),
}));

test("docs/troubleshoot.md has each code that any source names, once, and no other", () => {
  const sources = codesInSources();
  const documented = rows.map(({ code }) => code);
  expect([...sources].filter(([code]) => !documented.includes(code))).toEqual([]);
  expect(documented.filter((code) => !sources.has(code))).toEqual([]);
  expect(documented.length).toBe(new Set(documented).size);
  for (const code of Object.keys(STATUS_OF_CODE)) expect(documented).toContain(code);
});

test("each says what it means, what next, and the exit status that it really has", () => {
  for (const { code, cells } of rows) {
    const [means = "", next = "", exit] = cells;
    expect({ code, cells: cells.length }).toEqual({ code, cells: 3 });
    expect({ code, means: means.length > 10, next: next.length > 3 }).toEqual({
      code,
      means: true,
      next: true,
    });
    // Left out where no command ends with it.
    const stated = exit === "" ? 1 : Number(exit);
    expect({ code, stated }).toEqual({ code, stated: statusOf({ code }) });
  }
});
