import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { lacksMagic, mergeSurvivors, rewriteMagic, setReplayable } from "@holdfast/chroma";

let copy: string;
let file: string;

const ROWS = 3_000;
const PAGE_BYTES = 4_096;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "holdfast-sqlite-"));
  file = join(copy, "chroma.sqlite3");
  mkdirSync(copy, { recursive: true });
  using database = new DatabaseSync(file);
  database.exec(`
    BEGIN;
    CREATE TABLE databases (id TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE collections (id TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE segments (id TEXT PRIMARY KEY, scope TEXT);
    CREATE TABLE max_seq_id (segment_id TEXT PRIMARY KEY, seq_id INTEGER);
    CREATE TABLE embeddings_queue_config (id INTEGER PRIMARY KEY, config_json_str TEXT);
    CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT, embedding_id TEXT);
    CREATE TABLE embedding_metadata (id INTEGER, key TEXT, string_value TEXT, PRIMARY KEY (id, key));
    CREATE INDEX by_string ON embedding_metadata (string_value);
    CREATE VIRTUAL TABLE embedding_fulltext_search USING fts5(string_value, tokenize='trigram');
    INSERT INTO databases VALUES ('d', 'default');
    INSERT INTO collections VALUES ('c', 'notes');
    INSERT INTO segments VALUES ('s', 'METADATA');`);
  const record = database.prepare("INSERT INTO embeddings VALUES (?, 's', ?)");
  const text = database.prepare("INSERT INTO embedding_metadata VALUES (?, 'chroma:document', ?)");
  for (let id = 1; id <= ROWS; id += 1) {
    record.run(id, `id-${id}`);
    text.run(id, `the text of ${id}, long enough to fill some pages of the file`);
  }
  database.exec("COMMIT");
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

function overwrite(at: number, bytes: number): void {
  const content = readFileSync(file);
  content.fill(0xa5, at, at + bytes);
  writeFileSync(file, content);
}

function count(sql: string): number {
  using database = new DatabaseSync(file, { readOnly: true });
  return (database.prepare(`SELECT count(*) AS n FROM ${sql}`).get() as { n: number }).n;
}

test("the first bytes are written anew when nothing else is wrong", () => {
  expect(lacksMagic(copy)).toBe(false);
  overwrite(0, 16);
  expect(lacksMagic(copy)).toBe(true);
  rewriteMagic(copy);
  expect([lacksMagic(copy), count("embeddings")]).toEqual([false, ROWS]);
});

test("a whole damaged header is no lack of the first bytes", () => {
  overwrite(0, 100);
  expect(lacksMagic(copy)).toBe(false);
});

test("a page that is damaged as well is not passed over", () => {
  overwrite(0, 16);
  overwrite(readFileSync(file).length - 3 * PAGE_BYTES, 3 * PAGE_BYTES);
  expect(() => rewriteMagic(copy)).toThrow(/More than its first bytes/);
});

test("around one damaged page of records the rest survives, indexed and findable", () => {
  const bytes = readFileSync(file);
  // A leaf of the records' table: a page that holds a number of their ids.
  const page = Array.from({ length: bytes.length / PAGE_BYTES }, (_, n) => n).find((n) =>
    bytes.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES).includes("sid-1500"),
  ) as number;
  overwrite(page * PAGE_BYTES, PAGE_BYTES);
  const { rows, damaged } = mergeSurvivors(copy);
  expect(damaged).toEqual(["embeddings"]);
  expect(rows["embeddings"]).toBeLessThan(ROWS);
  // What one page holds, and no more.
  expect(rows["embeddings"]).toBeGreaterThan(ROWS - 500);
  expect(count("embeddings")).toBe(rows["embeddings"]);
  expect(count("embedding_metadata WHERE id NOT IN (SELECT id FROM embeddings)")).toBe(0);
  expect(count("embedding_fulltext_search WHERE string_value MATCH '\"text of 2999\"'")).toBe(1);
  expect(count("pragma_quick_check WHERE quick_check = 'ok'")).toBe(1);
});

test("of a file that was cut off, what is left survives", () => {
  truncateSync(file, Math.floor(readFileSync(file).length / 2 / PAGE_BYTES) * PAGE_BYTES);
  const { rows } = mergeSurvivors(copy);
  expect(rows["embeddings"]).toBeGreaterThan(100);
  expect(count("collections")).toBe(1);
});

// It was taken for damage of what was read: the rest was skipped, and another error told at the end.
test("a disk that takes no more of the new file is no damage of the old one", () => {
  {
    using database = new DatabaseSync(file);
    const record = database.prepare("INSERT INTO embeddings VALUES (?, 's', ?)");
    database.exec("BEGIN");
    // More than SQLite keeps in memory before it writes.
    for (let id = ROWS + 1; id <= ROWS + 20_000; id += 1) record.run(id, `${id}`.repeat(60));
    database.exec("COMMIT");
  }
  const fixture = join(import.meta.dirname, "../fixtures/merge.ts");
  const flags = "--conditions=@holdfast/source --disable-warning=ExperimentalWarning";
  // Blocks of 512 or 1,024 bytes: less than the file needs in either.
  const limited = `trap '' XFSZ; ulimit -f 4000; exec "$0" ${flags} "$1" "$2"`;
  const ended = spawnSync("sh", ["-c", limited, process.execPath, fixture, copy], {
    encoding: "utf8",
  });
  expect(ended.stderr).toBe("");
  expect(ended.stdout).toMatch(/disk/);
});

test("without the collections nobody knows what the records belong to", () => {
  {
    using database = new DatabaseSync(file);
    database.exec("DELETE FROM collections");
  }
  overwrite(readFileSync(file).length - PAGE_BYTES, PAGE_BYTES);
  expect(() => mergeSurvivors(copy)).toThrow(/collections/);
});

test("the queue is kept, or purged again, once there is a database", () => {
  const config = (): object => {
    using database = new DatabaseSync(file, { readOnly: true });
    const row = database
      .prepare("SELECT config_json_str AS text FROM embeddings_queue_config")
      .get();
    return JSON.parse((row as { text: string }).text) as object;
  };
  expect(setReplayable(copy, true)).toBe(true);
  expect(config()).toMatchObject({ automatically_purge: false });
  expect(setReplayable(copy, false)).toBe(true);
  expect(config()).toMatchObject({ automatically_purge: true });
  rmSync(file);
  expect(setReplayable(copy, true)).toBe(false);
  writeFileSync(file, "");
  expect(setReplayable(copy, true)).toBe(false);
});
