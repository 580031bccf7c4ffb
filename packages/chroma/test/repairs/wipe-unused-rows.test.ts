import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { wipeUnusedRows } from "../../src/repairs/wipe-unused-rows.ts";

const CAPACITY = 10;
const COUNT = 3;
const ROW = 20;

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "holdfast-wipe-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(count: number, capacity: number): { file: (name: string) => string } {
  const folder = join(directory, "index");
  mkdirSync(folder);
  const header = Buffer.alloc(100);
  header.writeUInt32LE(1, 0);
  header.writeBigUInt64LE(BigInt(capacity), 12);
  header.writeBigUInt64LE(BigInt(count), 20);
  header.writeBigUInt64LE(BigInt(ROW), 28);
  writeFileSync(join(folder, "header.bin"), header);
  writeFileSync(join(folder, "length.bin"), "x".repeat(CAPACITY * 4));
  writeFileSync(join(folder, "data_level0.bin"), "x".repeat(CAPACITY * ROW));
  return { file: (name) => readFileSync(join(folder, name), "utf8").replaceAll("\0", "-") };
}

test("rows that hold a vector stay, and what stands behind them is gone", () => {
  const { file } = write(COUNT, CAPACITY);
  wipeUnusedRows(directory);
  const wiped = (row: number): string =>
    "x".repeat(COUNT * row) + "-".repeat((CAPACITY - COUNT) * row);
  expect(file("length.bin")).toBe(wiped(4));
  expect(file("data_level0.bin")).toBe(wiped(ROW));
});

test.each([
  ["more rows than there is room for", CAPACITY + 1, CAPACITY],
  ["another size", COUNT, CAPACITY + 1],
])("files whose header says %s are left alone", (_what, count, capacity) => {
  const { file } = write(count, capacity);
  wipeUnusedRows(directory);
  expect(file("length.bin")).toBe("x".repeat(CAPACITY * 4));
  expect(file("data_level0.bin")).toBe("x".repeat(CAPACITY * ROW));
});

test("a torn index is left alone: behind what its header counts a repair may find vectors", () => {
  const { file } = write(COUNT, CAPACITY);
  writeFileSync(join(directory, "index", "index_metadata.pickle"), "cut off");
  wipeUnusedRows(directory);
  expect(file("data_level0.bin")).toBe("x".repeat(CAPACITY * ROW));
});

test("a folder without an index, and one without a header, are none of its business", () => {
  mkdirSync(join(directory, "empty"));
  writeFileSync(join(directory, "chroma.sqlite3"), "");
  wipeUnusedRows(directory);
  expect(readFileSync(join(directory, "chroma.sqlite3"), "utf8")).toBe("");
});
