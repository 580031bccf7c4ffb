import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RepairError } from "./repair-error.ts";

/** What every SQLite file begins with. */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
const CATALOGUE = "chroma.sqlite3";

/** Whether a data directory's SQLite lacks nothing but its first bytes, as far as they show. */
export function lacksMagic(dataDirectory: string): boolean {
  const first = Buffer.alloc(MAGIC.length + 2);
  const descriptor = openSync(join(dataDirectory, CATALOGUE), "r");
  try {
    if (readSync(descriptor, first, 0, first.length, 0) < first.length) return false;
  } finally {
    closeSync(descriptor);
  }
  const pageSize = first.readUInt16BE(MAGIC.length);
  const isPageSize = pageSize === 1 || (pageSize >= 512 && (pageSize & (pageSize - 1)) === 0);
  return isPageSize && !first.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Writes SQLite's first bytes anew, in a copied data directory, and has all the rest checked.
 * @throws RepairError `SALVAGE_IMPOSSIBLE` when more than they is damaged.
 */
export function rewriteMagic(copy: string): void {
  const file = join(copy, CATALOGUE);
  const descriptor = openSync(file, "r+");
  try {
    writeSync(descriptor, MAGIC, 0, MAGIC.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const wrong = whatIsWrong(file);
  if (wrong === undefined) return;
  throw new RepairError(`More than its first bytes is damaged in ${CATALOGUE}: ${wrong}`, {
    code: "SALVAGE_IMPOSSIBLE",
    hint: "Nothing was changed. See what else can be done with: holdfast memory recover --dry-run",
  });
}

function whatIsWrong(file: string): string | undefined {
  try {
    using database = new DatabaseSync(file, { timeout: 5_000 });
    const { quick_check: said } = database.prepare("PRAGMA quick_check(1)").get() as {
      quick_check: string;
    };
    return said === "ok" ? undefined : said;
  } catch (error) {
    return (error as Error).message;
  }
}
