import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { RepairError } from "./repair-error.ts";

export interface MergedSurvivors {
  /** Rows that could be read, by table. */
  rows: Readonly<Record<string, number>>;
  /** Tables in which rows were skipped because their pages are damaged. */
  damaged: readonly string[];
}

interface TableEntry {
  name: string;
  sql: string;
}

const CATALOGUE = "chroma.sqlite3";
const FULL_TEXT = "embedding_fulltext_search";
/** Without these nobody knows whose the records are. */
const NEEDED = ["collections", "databases", "segments"];
/** SQLite's file format: u16 page size at 16, u32 pages at 28. */
const HEADER_BYTES = 100;
const PAGE_SIZE_AT = 16;
const PAGES_AT = 28;
const FILL_FACTOR_MAX = 1_000;
const ROW_SPAN_MAX = 2 ** 40;

/**
 * Makes a damaged SQLite of a copied data directory anew from the rows that can still be read: the
 * tables' own order is followed from both ends of every damaged place. The full-text index is
 * filled again from the texts. What a server would stumble over is made consistent: rows of
 * records that are gone go as well.
 * @throws RepairError `SALVAGE_IMPOSSIBLE` when the schema, or the list of collections, is gone.
 */
export function mergeSurvivors(copy: string): MergedSurvivors {
  const damagedFile = join(copy, CATALOGUE);
  const freshFile = join(copy, "survivors.sqlite3");
  rmSync(freshFile, { force: true });
  const rows: Record<string, number> = {};
  const damaged: string[] = [];
  {
    using source = openDamaged(damagedFile);
    using target = new DatabaseSync(freshFile);
    target.exec("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; BEGIN");
    const { tables, others } = readSchema(source);
    for (const { name, sql } of tables) {
      target.exec(sql);
      const { copied, skipped } = copyTable(source, target, name);
      rows[name] = copied;
      if (skipped) damaged.push(name);
    }
    for (const { sql } of others) target.exec(sql);
    requireCatalogue(rows, damaged);
    makeConsistent(target);
    fillFullText(target);
    target.exec("COMMIT");
  }
  for (const suffix of ["", "-journal", "-wal", "-shm"]) {
    rmSync(damagedFile + suffix, { force: true });
  }
  renameSync(freshFile, damagedFile);
  return { rows, damaged };
}

function openDamaged(file: string): DatabaseSync {
  fillUp(file);
  const database = new DatabaseSync(file, { timeout: 5_000 });
  // Rows are what is wanted, whatever the rest of their page says.
  database.exec("PRAGMA cell_size_check = OFF; PRAGMA query_only = ON");
  return database;
}

/** SQLite opens no file that is shorter than its header says; empty pages are damage like any. */
function fillUp(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(descriptor, header, 0, header.length, 0);
    const told = header.readUInt16BE(PAGE_SIZE_AT);
    const bytes = (told === 1 ? 65_536 : told) * header.readUInt32BE(PAGES_AT);
    const { size } = fstatSync(descriptor);
    if (bytes > size && bytes < size * FILL_FACTOR_MAX) ftruncateSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Tables with their rows, and what is made after them: indexes, views, triggers, full text. */
function readSchema(source: DatabaseSync): { tables: TableEntry[]; others: TableEntry[] } {
  try {
    const entries = source
      .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
      .all() as unknown as (TableEntry & { type: string })[];
    const own = entries.filter(({ name }) => !name.startsWith("sqlite_"));
    const isShadow = ({ name }: TableEntry): boolean => name.startsWith(`${FULL_TEXT}_`);
    const isTable = ({ type, sql }: TableEntry & { type: string }): boolean =>
      type === "table" && !/^CREATE VIRTUAL/i.test(sql);
    return {
      tables: own.filter((entry) => isTable(entry) && !isShadow(entry)),
      others: own.filter((entry) => !isTable(entry) && !isShadow(entry)),
    };
  } catch (error) {
    throw new RepairError(
      `The schema of ${CATALOGUE} cannot be read: ${(error as Error).message}`,
      {
        code: "SALVAGE_IMPOSSIBLE",
        hint: "Restore a backup (holdfast memory restore).",
        cause: error,
      },
    );
  }
}

function copyTable(
  source: DatabaseSync,
  target: DatabaseSync,
  table: string,
): { copied: number; skipped: boolean } {
  const columns = (
    source.prepare(`SELECT name FROM pragma_table_info(?)`).all(table) as { name: string }[]
  ).map(({ name }) => `"${name}"`);
  const list = ["rowid", ...columns].join(", ");
  const insert = target.prepare(
    `INSERT OR IGNORE INTO "${table}" (${list}) VALUES (${[...columns, 0].map(() => "?").join(", ")})`,
  );
  let copied = 0;
  let refusal: unknown;
  const write = (values: SQLInputValue[]): void => {
    try {
      insert.run(...values);
    } catch (error) {
      refusal = error;
      throw error;
    }
  };
  /** Rows of an order up to the first damaged page; returns the last one's number. */
  const walk = (
    order: "ASC" | "DESC",
    from: bigint | undefined,
    to: bigint | undefined,
  ): Walked => {
    const bounds = [
      ...(from === undefined ? [] : ["rowid > :from"]),
      ...(to === undefined ? [] : ["rowid < :to"]),
    ];
    const where = bounds.length > 0 ? ` WHERE ${bounds.join(" AND ")}` : "";
    const select = source.prepare(
      `SELECT ${list} FROM "${table}" NOT INDEXED${where} ORDER BY rowid ${order}`,
    );
    select.setReadBigInts(true);
    select.setReturnArrays(true);
    let last: bigint | undefined;
    try {
      const bound = {
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      };
      for (const row of select.iterate(bound) as Iterable<unknown>) {
        const values = row as SQLInputValue[];
        write(values);
        last = values[0] as bigint;
        copied += 1;
      }
      return { last, whole: true };
    } catch (error) {
      // What the new file's disk refuses is no damage of the old one.
      if (error === refusal || !isDamage(error)) throw error;
      return { last, whole: false };
    }
  };
  const skipped = walkAround(walk);
  return { copied, skipped };
}

interface Walked {
  last: bigint | undefined;
  whole: boolean;
}

type Walk = (order: "ASC" | "DESC", from: bigint | undefined, to: bigint | undefined) => Walked;

/**
 * Reads from both ends to the outermost damaged pages, then looks for islands between them, at
 * spans that double. Returns whether anything was skipped.
 */
function walkAround(walk: Walk): boolean {
  const up = walk("ASC", undefined, undefined);
  if (up.whole) return false;
  const down = walk("DESC", up.last, undefined);
  if (down.whole) return true;
  let from = up.last ?? 0n;
  const to = down.last;
  for (let span = 1n; span < ROW_SPAN_MAX;) {
    const start = from + span;
    if (to !== undefined && start >= to) return true;
    const island = walk("ASC", start, to);
    if (island.whole) return true;
    if (island.last === undefined) span *= 2n;
    else {
      from = island.last;
      span = 1n;
    }
  }
  return true;
}

/** Whether SQLite failed at what the file holds, and not at what was asked. */
export function isDamage(error: unknown): boolean {
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  // CORRUPT, NOTADB, and an I/O error at a page that lies behind the file's end.
  return code === 11 || code === 26 || code === 10;
}

function requireCatalogue(
  rows: Readonly<Record<string, number>>,
  damaged: readonly string[],
): void {
  const gone = NEEDED.filter((table) => damaged.includes(table) || (rows[table] ?? 0) === 0);
  if (gone.length === 0) return;
  throw new RepairError(`What the records belong to cannot be read any more: ${gone.join(", ")}`, {
    code: "SALVAGE_IMPOSSIBLE",
    hint: "Restore a backup (holdfast memory restore).",
  });
}

/** Metadata without its record, and an index's progress without a segment, confuse a server. */
function makeConsistent(target: DatabaseSync): void {
  target.exec(`
    DELETE FROM embedding_metadata WHERE id NOT IN (SELECT id FROM embeddings);
    DELETE FROM embeddings WHERE segment_id NOT IN (SELECT id FROM segments);
    DELETE FROM max_seq_id WHERE segment_id NOT IN (SELECT id FROM segments);`);
}

function fillFullText(target: DatabaseSync): void {
  const { present } = target
    .prepare("SELECT count(*) AS present FROM sqlite_master WHERE name = ?")
    .get(FULL_TEXT) as { present: number };
  if (present === 0) {
    target.exec(`CREATE VIRTUAL TABLE ${FULL_TEXT} USING fts5(string_value, tokenize='trigram')`);
  }
  target.exec(`
    INSERT INTO ${FULL_TEXT} (rowid, string_value)
    SELECT id, string_value FROM embedding_metadata
    WHERE key = 'chroma:document' AND string_value IS NOT NULL;`);
}
