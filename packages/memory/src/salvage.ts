import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Database, KernelLock, SqliteError } from "@holdfast/sqlite";
import { Mirror } from "./mirror.ts";
import { checksumOf, type MemoryContent } from "./record-codec.ts";
import { TEXT_COLUMNS, textColumn, wholeText } from "./mirror-row.ts";
import { MIGRATIONS } from "./schema.ts";
import { dropUnsoundRows } from "./unsound-rows.ts";

const CHECK_EVERY_MS = 86_400_000;
const LOCK_WAIT_MS = 30_000;
const PAGE = 200;
/** Number gaps are jumped by doubling, so this many jumps pass any number that SQLite can give. */
const JUMPS_MAX = 62;
/** Copied as they are, parents first; tags and words are made anew from the texts. */
const TABLES = [
  "collection",
  "entry",
  "memory",
  "vector",
  "tombstone",
  "forgotten",
  "unsettled",
  "restore_state",
  "backup",
  "other",
  "sync",
  "salvaged",
] as const;

/** Notes that a file was found damaged in use, so that whoever opens it next looks closely. */
export function markSuspect(path: string): void {
  writeFileSync(`${path}.suspect`, "", { mode: 0o600 });
}

/**
 * Whether a file is to be checked whole before it is used: it was found damaged, a salvage of it
 * was cut off, or a day has passed since it was last checked.
 */
export function isCheckDue(path: string, now: number): boolean {
  if (exists(`${path}.suspect`) || exists(freshOf(path))) return true;
  const checkedAt = statSync(`${path}.checked`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return exists(path) && Math.abs(now - checkedAt) > CHECK_EVERY_MS;
}

/**
 * Sets a damaged outbox aside and makes a new one of everything that can still be read. What is
 * known to have been there and cannot be read is named in the new file. One process does it; the
 * others wait. Does nothing when the file is sound, as it is for those who waited.
 * @throws SqliteError when the disk refuses.
 */
export function salvageIfDamaged(path: string, now: number): void {
  const lock = KernelLock.tryAcquire(`${path}.salvage-lock`, LOCK_WAIT_MS);
  if (lock === undefined) throw busy(path);
  try {
    if (!exists(path) && exists(freshOf(path))) replace(path, now);
    else if (isDamaged(path)) salvage(path, now);
    rmSync(freshOf(path), { force: true });
    rmSync(`${path}.suspect`, { force: true });
    writeFileSync(`${path}.checked`, "", { mode: 0o600 });
  } finally {
    lock.release();
  }
}

function isDamaged(path: string): boolean {
  try {
    Database.open(path, { migrations: MIGRATIONS, quickCheck: true }).close();
    return false;
  } catch (error) {
    if (error instanceof SqliteError && error.code === "SQLITE_CORRUPT") return true;
    throw error;
  }
}

function salvage(path: string, now: number): void {
  const fresh = freshOf(path);
  for (const end of ["", "-wal", "-shm"]) rmSync(fresh + end, { force: true });
  const source = openDamaged(path);
  const target = Database.open(fresh, { migrations: MIGRATIONS, secureDelete: true });
  try {
    target.transaction(() => {
      const lost = source === undefined ? [] : copyAll(source, target);
      // What an earlier one could not bring back is among it.
      target.raw.exec("DELETE FROM salvaged");
      target.raw
        .prepare("INSERT INTO salvaged (at, file, lost) VALUES (?, ?, ?)")
        .run(now, join(asideOf(path, now), "memory.db"), JSON.stringify(lost));
      target.raw.exec("UPDATE collection SET adopt = 1");
    });
    target.checkpoint();
  } finally {
    target.close();
    // Held until the copy is complete: nothing is accepted into the old file meanwhile.
    source?.close();
  }
  replace(path, now);
}

/** The old file goes first, so that a crash in between is seen by its absence. */
function replace(path: string, now: number): void {
  const aside = asideOf(path, now);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  for (const end of ["", "-wal", "-shm"]) {
    if (exists(path + end)) renameSync(path + end, join(aside, `memory.db${end}`));
  }
  renameSync(freshOf(path), path);
}

function freshOf(path: string): string {
  return `${path}.salvaged`;
}

function asideOf(path: string, now: number): string {
  return join(dirname(path), "damaged", new Date(now).toISOString().replaceAll(":", "-"));
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Holds other processes' writes off while it is read; undefined when not even that can be done. */
function openDamaged(path: string): DatabaseSync | undefined {
  let source: DatabaseSync | undefined;
  try {
    source = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    source.exec("BEGIN IMMEDIATE");
    return source;
  } catch (error) {
    source?.close();
    if (isCorruption(error)) return undefined;
    throw error;
  }
}

/** Returns the ids that were there and of which nothing could be read. */
function copyAll(source: DatabaseSync, target: Database): string[] {
  // A schema that cannot be read makes every table unreadable.
  for (const table of TABLES) untilDamage(() => copyTable(source, target, table));
  dropUnsoundRows(target);
  nameCollections(target);
  const known = new Set<string>();
  for (const row of target.raw.prepare("SELECT value AS id FROM salvaged, json_each(lost)").all())
    known.add((row as { id: string }).id);
  for (const sql of [
    "SELECT DISTINCT id FROM memory INDEXED BY sqlite_autoindex_memory_1",
    "SELECT DISTINCT id FROM entry INDEXED BY entry_by_id",
  ]) {
    untilDamage(() => {
      for (const row of source.prepare(sql).iterate()) known.add((row as { id: string }).id);
    });
  }
  restoreFromEntries(target);
  restoreIndexes(target);
  recount(target);
  const held = target.raw.prepare(
    `SELECT 1 FROM memory WHERE id = ? UNION ALL
     SELECT 1 FROM entry WHERE id = ? AND operation = 'forget' LIMIT 1`,
  );
  return [...known].filter((id) => held.get(id, id) === undefined);
}

const isText = (column: string): boolean => TEXT_COLUMNS.includes(column);

function valueOf(row: Record<string, unknown>, column: string): SQLInputValue {
  const value = row[column] as SQLInputValue;
  return isText(column) && value instanceof Uint8Array ? wholeText(value) : value;
}

/** Copies the rows that can be read, jumping over those that cannot. */
function copyTable(source: DatabaseSync, target: Database, table: string): void {
  const columns = target.raw
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map((row) => (row as { name: string }).name)
    .filter((column) => isInOrUnknown(source, table, column));
  const insert = target.raw.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const keep = (row: Record<string, unknown>): void => {
    // A row that lost a value it must have is no row.
    untilDamage(() => insert.run(...columns.map((column) => valueOf(row, column))));
  };
  const names = columns.map((column) => (isText(column) ? textColumn(column) : column)).join(", ");
  if (table === "tombstone" || table === "unsettled") {
    untilDamage(() => {
      for (const row of source.prepare(`SELECT ${names} FROM ${table}`).iterate()) keep(row);
    });
    return;
  }
  const read = source.prepare(
    `SELECT rowid AS place, ${names} FROM ${table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const rowsAfter = (place: number, limit: number): Record<string, unknown>[] | undefined => {
    let rows: Record<string, unknown>[] | undefined;
    untilDamage(() => {
      rows = read.all(place, limit);
    });
    return rows;
  };
  for (let place = 0; ;) {
    const rows = rowsAfter(place, PAGE) ?? rowsAfter(place, 1);
    if (rows === undefined) {
      const next = jump(place, (from) => rowsAfter(from, 1) !== undefined);
      if (next === undefined) return;
      place = next;
      continue;
    }
    for (const row of rows) keep(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    place = last["place"] as number;
  }
}

/** A file of an earlier version may lack a column; nobody can tell when its schema is damaged. */
function isInOrUnknown(source: DatabaseSync, table: string, column: string): boolean {
  let found: unknown[] = [{}];
  untilDamage(() => {
    found = source.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?").all(table, column);
  });
  return found.length > 0;
}

/** The smallest number after `place` from which reading works again, or undefined. */
function jump(place: number, reads: (from: number) => boolean): number | undefined {
  let bad = place;
  let step = 1;
  for (let n = 0; n < JUMPS_MAX && !reads(place + step); n++) {
    bad = place + step;
    step *= 2;
    if (!Number.isSafeInteger(place + step)) return undefined;
  }
  let good = place + step;
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (reads(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** Rows may have outlived the row that names their collection. */
function nameCollections(target: Database): void {
  target.raw.exec(
    `INSERT OR IGNORE INTO collection (collection, name, writer)
     SELECT collection, 'salvaged-' || collection, lower(hex(randomblob(16)))
     FROM (SELECT collection FROM memory UNION SELECT collection FROM entry) WHERE collection > 0`,
  );
}

/** A memory whose row is gone comes back from the newest write that carries it. */
function restoreFromEntries(target: Database): void {
  const rows = target.raw
    .prepare(
      `SELECT entry.collection, entry.id, entry.revision, entry.payload, entry.state, collection.writer
       FROM entry JOIN collection USING (collection)
       WHERE payload IS NOT NULL AND entry.revision = (SELECT max(revision) FROM entry AS newer
         WHERE newer.collection = entry.collection AND newer.id = entry.id)
       AND NOT EXISTS (SELECT 1 FROM memory
         WHERE memory.collection = entry.collection AND memory.id = entry.id)`,
    )
    .all() as unknown as EntryRow[];
  for (const row of rows) {
    const mirror = new Mirror(target, row.collection, row.writer);
    const content = JSON.parse(row.payload) as MemoryContent;
    mirror.put(row.id, row.revision, content, checksumOf(content));
    if (row.state !== "stored") continue;
    target.raw
      .prepare("UPDATE memory SET applied_revision = revision WHERE collection = ? AND id = ?")
      .run(row.collection, row.id);
  }
}

interface EntryRow {
  collection: number;
  id: string;
  revision: number;
  payload: string;
  state: string;
  writer: string;
}

/** Words and tags are made anew; a memory that nothing queues any more is queued again. */
function restoreIndexes(target: Database): void {
  target.raw.exec(`
    DELETE FROM vector WHERE memory NOT IN (SELECT memory FROM memory);
    DELETE FROM tag;
    INSERT OR IGNORE INTO tag (tag, memory)
      SELECT value, memory FROM memory, json_each(memory.tags);
    INSERT INTO memory_text (memory_text) VALUES ('rebuild');
    INSERT INTO entry (collection, id, revision, operation, accepted_at, bytes)
      SELECT collection, id, revision, 'put', updated_at, length(text) FROM memory
      WHERE collection > 0 AND applied_revision < revision AND NOT EXISTS (SELECT 1 FROM entry
        WHERE entry.collection = memory.collection AND entry.id = memory.id
          AND entry.state IN ('queued', 'dead') AND entry.revision >= memory.revision);`);
}

/** The bounds' running totals; the ledger stays as it was, so that a lost write shows in it. */
function recount(target: Database): void {
  const sum = (what: string, state: string): string =>
    `(SELECT coalesce(${what}, 0) FROM entry WHERE entry.collection = collection.collection AND state = '${state}')`;
  target.raw.exec(
    `UPDATE collection SET queued_records = ${sum("count(*)", "queued")},
       queued_bytes = ${sum("sum(bytes)", "queued")}, kept_records = ${sum("count(*)", "stored")},
       kept_bytes = ${sum("sum(bytes)", "stored")}`,
  );
}

function untilDamage(body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!isCorruption(error)) throw error;
  }
}

/** Damage, or a row that breaks the schema, or holds a number that is none, because of it. */
function isCorruption(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: number };
  return code === "ERR_OUT_OF_RANGE" || [1, 11, 19, 20, 26].includes((errcode ?? 0) & 0xff);
}

function busy(path: string): SqliteError {
  return new SqliteError(`Another process is salvaging ${path}`, {
    code: "SQLITE_BUSY",
    path,
    retryable: true,
    hint: "Wait for it and try again.",
  });
}
