import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { idsWithoutVector } from "./index-coverage.ts";
import { tornIndex } from "./inspect-index.ts";

/** What is wrong with a data directory, found without starting a server on it. */
export type Finding =
  /** A server would crash on the collection, or answer without its vectors. */
  | { kind: "torn-index"; segment: string; collection: string; detail: string }
  /** SQLite is damaged: a server would abort, or answer 400 to everything. */
  | { kind: "sqlite-damaged"; detail: string }
  /** Indexes without the SQLite file that names them: a server would be healthy and empty. */
  | { kind: "catalogue-lost"; segments: readonly string[]; detail: string }
  /** Folders that no collection names any more; harmless. */
  | { kind: "orphan-segments"; segments: readonly string[] };

export interface CollectionContent {
  name: string;
  tenant: string;
  database: string;
  /** Every id that the server has acknowledged and not deleted, those still queued included. */
  ids: ReadonlySet<string>;
}

export interface Inspection {
  findings: readonly Finding[];
  /** Whether a server must not be started on the directory as it is. */
  damaged: boolean;
  /** What the directory holds; undefined when SQLite cannot say. */
  collections: readonly CollectionContent[] | undefined;
}

/** A finding in one line, for people. */
export function describeFinding(finding: Finding): string {
  if (finding.kind === "torn-index") {
    return `the index of ${finding.collection} is torn: ${finding.detail}`;
  }
  if (finding.kind === "orphan-segments") {
    return `${finding.segments.length} folders belong to no collection`;
  }
  return finding.detail;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Looks for damage that a running server would crash on or hide. Call it with the server stopped
 * and the keeper's lock held: a transaction that a killed server left half-done is rolled back,
 * as the server itself would. Nothing else is changed.
 * @throws errno and SQLite errors that are not the directory's damage (permissions, I/O).
 */
export function inspectDataDirectory(dataDirectory: string): Inspection {
  const folders = segmentFolders(dataDirectory);
  const file = join(dataDirectory, "chroma.sqlite3");
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) {
    if (folders.length === 0) return { findings: [], damaged: false, collections: [] };
    const detail = "chroma.sqlite3 is missing or empty beside index folders";
    return unreadable({ kind: "catalogue-lost", segments: folders, detail });
  }
  try {
    using database = openQuietly(file);
    const check = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") {
      return unreadable({ kind: "sqlite-damaged", detail: check.quick_check });
    }
    return inspectCatalogue(dataDirectory, database, folders);
  } catch (error) {
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) throw error;
    return unreadable({ kind: "sqlite-damaged", detail: (error as Error).message });
  }
}

function unreadable(finding: Finding): Inspection {
  return { findings: [finding], damaged: true, collections: undefined };
}

/** A journal that a killed server left is played back, for which the file must be writable. */
function openQuietly(file: string): DatabaseSync {
  const journal = statSync(`${file}-journal`, { throwIfNoEntry: false })?.size ?? 0;
  return new DatabaseSync(file, { readOnly: journal === 0, timeout: 5_000 });
}

function inspectCatalogue(
  dataDirectory: string,
  database: DatabaseSync,
  folders: readonly string[],
): Inspection {
  const segments = database
    .prepare(
      `SELECT segments.id, collections.id AS collection, collections.name,
              (SELECT seq_id FROM max_seq_id WHERE segment_id = segments.id) AS persisted
       FROM segments JOIN collections ON collections.id = segments.collection
       WHERE segments.scope = 'VECTOR'`,
    )
    .all() as { id: string; collection: string; name: string; persisted: number | null }[];
  const collections = readCollections(database);
  const findings: Finding[] = segments.flatMap(({ id, collection, name, persisted }) => {
    const folder = join(dataDirectory, id);
    const isPersisted = persisted !== null;
    const held = collections.find(({ id: known }) => known === collection)?.content;
    const detail =
      tornIndex(folder, isPersisted) ??
      (held &&
        uncovered(
          idsWithoutVector(folder, database, { id: collection, ids: held.ids }, isPersisted),
        ));
    return detail === undefined
      ? []
      : [{ kind: "torn-index" as const, segment: id, collection: name, detail }];
  });
  const known = new Set(segments.map(({ id }) => id));
  const orphans = folders.filter((folder) => !known.has(folder));
  if (
    orphans.length > 0 &&
    collections.length === 0 &&
    !wasUsed(join(dataDirectory, "chroma.sqlite3"), database)
  ) {
    const detail = "chroma.sqlite3 names no collection and never did, beside index folders";
    findings.push({ kind: "catalogue-lost", segments: orphans, detail });
  } else if (orphans.length > 0) {
    findings.push({ kind: "orphan-segments", segments: orphans });
  }
  const damaged = findings.some(({ kind }) => kind !== "orphan-segments");
  return { findings, damaged, collections: collections.map(({ content }) => content) };
}

function uncovered(ids: readonly string[] | undefined): string | undefined {
  if (ids === undefined || ids.length === 0) return undefined;
  return `neither index nor queue holds a vector of ${ids.length} records, ${ids[0]} among them`;
}

/** Transactions that lay out a new database, in builds 1.0 to 1.4. */
const MIGRATION_COMMITS = 4;
const CHANGE_COUNTER_AT = 24;

/**
 * Whether anything was ever written but what a server writes by itself. Deleting the last
 * collection leaves its folder and no row, but SQLite counts commits (file format, offset 24), and
 * Chroma's starts are counted by the rows of `acquire_write`.
 */
function wasUsed(file: string, database: DatabaseSync): boolean {
  const { starts } = database.prepare("SELECT count(*) AS starts FROM acquire_write").get() as {
    starts: number;
  };
  return changeCounterOf(file) > MIGRATION_COMMITS + starts;
}

function changeCounterOf(file: string): number {
  const counter = Buffer.alloc(4);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, counter, 0, counter.length, CHANGE_COUNTER_AT);
  } finally {
    closeSync(descriptor);
  }
  return counter.readUInt32BE();
}

function readCollections(database: DatabaseSync): { id: string; content: CollectionContent }[] {
  const rows = database
    .prepare(
      `SELECT collections.id, collections.name, databases.name AS "database",
              databases.tenant_id AS tenant
       FROM collections JOIN databases ON databases.id = collections.database_id`,
    )
    .all() as { id: string; name: string; database: string; tenant: string }[];
  return rows.map(({ id, name, tenant, database: databaseName }) => ({
    id,
    content: { name, tenant, database: databaseName, ids: readIds(database, id) },
  }));
}

const DELETE = 3;
const UPDATE = 1;

function readIds(database: DatabaseSync, collection: string): Set<string> {
  const applied = database
    .prepare(
      `SELECT embedding_id AS id FROM embeddings JOIN segments ON segments.id = segment_id
       WHERE segments.collection = ? AND segments.scope = 'METADATA'`,
    )
    .all(collection) as { id: string }[];
  const ids = new Set(applied.map(({ id }) => id));
  const queued = database
    .prepare(
      `SELECT id, operation FROM embeddings_queue
       WHERE topic LIKE '%/' || :collection AND seq_id > coalesce(
         (SELECT max_seq_id.seq_id FROM max_seq_id JOIN segments ON segments.id = segment_id
          WHERE segments.collection = :collection AND segments.scope = 'METADATA'), -1)
       ORDER BY seq_id`,
    )
    .all({ collection }) as { id: string; operation: number }[];
  for (const { id, operation } of queued) {
    if (operation === DELETE) ids.delete(id);
    else if (operation !== UPDATE) ids.add(id);
  }
  return ids;
}

function segmentFolders(dataDirectory: string): string[] {
  if (statSync(dataDirectory, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(dataDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && UUID.test(entry.name))
    .map((entry) => entry.name);
}
