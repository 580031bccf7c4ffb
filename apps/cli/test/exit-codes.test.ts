import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { EXIT, STATUS_OF_CODE, statusOf } from "../src/exit-codes.ts";

test("docs/exit-codes.md lists every status and every error code that has one", () => {
  const text = readFileSync(new URL("../../../docs/exit-codes.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| (\d+) +\| .+? \|(.*)\|$/gm)];
  expect(rows.map((row) => Number(row[1]))).toEqual(Object.values(EXIT));
  const documented = rows.flatMap((row) =>
    [...(row[2] ?? "").matchAll(/`(\w+)`/g)].map((match) => [match[1], Number(row[1])]),
  );
  expect(Object.fromEntries(documented)).toEqual(STATUS_OF_CODE);
});

test("whatever has no status of its own failed", () => {
  expect(statusOf(new Error("bug"))).toBe(1);
  expect(statusOf(undefined)).toBe(1);
  expect(statusOf({ code: "constructor" })).toBe(1);
});
