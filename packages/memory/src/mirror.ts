import type { Database } from "@holdfast/sqlite";
import { type Condition, filterSql } from "./filter-sql.ts";
import type { Filter, MemoryRecord } from "./memory-record.ts";
import {
  floats,
  MEMORY_COLUMNS,
  type MirrorRow,
  type RawContent,
  type RawRow,
  type RawRowWithDurability,
  TEXTS,
  toContent,
  toRecord,
  toRow,
} from "./mirror-row.ts";
import { encodeMetadata, type MemoryContent } from "./record-codec.ts";
import { Tombstones } from "./tombstones.ts";

const PAGE = 500;

/**
 * What this machine remembers: text, metadata, vectors and tombstones of one collection. Its
 * methods open no transaction of their own; the journal does.
 */
export class Mirror {
  readonly tombstones: Tombstones;
  readonly #db: Database;
  readonly #collection: number;
  readonly #writer: string;

  constructor(db: Database, collection: number, writer: string) {
    this.#db = db;
    this.#collection = collection;
    this.#writer = writer;
    this.tombstones = new Tombstones(db, collection);
  }

  find(id: string): MirrorRow | undefined {
    const row = this.#db
      .prepare(`SELECT ${MEMORY_COLUMNS} FROM memory WHERE collection = ? AND id = ?`)
      .get(this.#collection, id) as RawRow | undefined;
    return row && toRow(row);
  }

  /** What a memory says, without what only its writing needs: every hit of a search is looked up. */
  contentOf(id: string): Pick<MirrorRow, "revision" | "content"> | undefined {
    const row = this.#db
      .prepare(
        `SELECT revision, ${TEXTS}, metadata, tags, created_at, updated_at, expires_at
         FROM memory WHERE collection = ? AND id = ?`,
      )
      .get(this.#collection, id) as RawContent | undefined;
    return row && { revision: row.revision, content: toContent(row) };
  }

  /** The revision of an id's last accepted write, whether it put or forgot; 0 for an unknown id. */
  revisionOf(id: string): number {
    const row = this.#db
      .prepare("SELECT revision FROM memory WHERE collection = ? AND id = ?")
      .get(this.#collection, id) as { revision: number } | undefined;
    return row?.revision ?? this.tombstones.of(id)?.revision ?? 0;
  }

  /** Inserts or replaces a memory; its vector is gone unless the text stayed the same. */
  put(id: string, revision: number, content: MemoryContent, checksum: string): void {
    const old = this.find(id);
    const before = old?.sentKeys ?? this.tombstones.of(id)?.sentKeys ?? [];
    const keys = Object.keys(encodeMetadata(content, revision, this.#writer, checksum));
    const sentKeys = [...new Set([...before, ...keys])];
    if (old !== undefined) this.#dropIndexes(old);
    const { scope } = content;
    const row = this.#db
      .prepare(
        `INSERT INTO memory (collection, id, revision, text, metadata, scope_user, scope_agent,
           scope_session, scope_project, tags, checksum, created_at, updated_at, expires_at, sent_keys)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (collection, id) DO UPDATE SET revision = excluded.revision,
           text = excluded.text, metadata = excluded.metadata, scope_user = excluded.scope_user,
           scope_agent = excluded.scope_agent, scope_session = excluded.scope_session,
           scope_project = excluded.scope_project, tags = excluded.tags,
           checksum = excluded.checksum, created_at = excluded.created_at,
           updated_at = excluded.updated_at, expires_at = excluded.expires_at,
           sent_keys = excluded.sent_keys
         RETURNING memory`,
      )
      .get(
        this.#collection,
        id,
        revision,
        content.text,
        JSON.stringify(content.metadata),
        scope.user ?? null,
        scope.agent ?? null,
        scope.session ?? null,
        scope.project ?? null,
        JSON.stringify(content.tags),
        checksum,
        content.createdAt,
        content.updatedAt,
        content.expiresAt ?? null,
        JSON.stringify(sentKeys),
      ) as { memory: number };
    if (old !== undefined && old.content.text !== content.text) this.#dropVector(row.memory);
    this.#addIndexes(row.memory, content);
  }

  /** Removes a memory; without a tombstone of its id, what the store holds counts as another's. */
  drop(row: MirrorRow): void {
    this.#dropIndexes(row);
    this.#dropVector(row.memory);
    this.#db.prepare("DELETE FROM memory WHERE memory = ?").run(row.memory);
  }

  /** The store holds this revision of the memory and, unless `doubtful`, no other keys than its. */
  markApplied(row: MirrorRow, doubtful: boolean): void {
    this.#db
      .prepare("UPDATE memory SET applied_revision = ? WHERE memory = ? AND applied_revision < ?")
      .run(row.revision, row.memory, row.revision);
    if (row.appliedRevision === 0) this.tombstones.raze(row.id, row.revision);
    const keys = Object.keys(this.encode(row));
    if (doubtful || keys.length === row.sentKeys.length) return;
    this.#db
      .prepare("UPDATE memory SET sent_keys = ? WHERE memory = ? AND revision = ?")
      .run(JSON.stringify(keys), row.memory, row.revision);
  }

  /** A row's metadata as the store is to hold it. */
  encode(row: MirrorRow): ReturnType<typeof encodeMetadata> {
    return encodeMetadata(row.content, row.revision, this.#writer, row.checksum);
  }

  vectorOf(memory: number): Float32Array | undefined {
    const row = this.#db.prepare("SELECT vector FROM vector WHERE memory = ?").get(memory) as
      | { vector: Uint8Array }
      | undefined;
    return row && floats(row.vector);
  }

  /** Keeps a vector, if the memory still says what was embedded. */
  keepVector(row: MirrorRow, vector: Float32Array): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO vector
         SELECT memory, ? FROM memory WHERE memory = ? AND text = ?`,
      )
      .run(
        new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
        row.memory,
        row.content.text,
      );
  }

  /** Rows in order of their number, after `after`, for scans that must not hold everything. */
  page(after: number, limit: number): MirrorRow[] {
    const rows = this.#db
      .prepare(
        `SELECT ${MEMORY_COLUMNS} FROM memory WHERE collection = ? AND memory > ? ORDER BY memory LIMIT ?`,
      )
      .all(this.#collection, after, limit);
    return (rows as unknown as RawRow[]).map(toRow);
  }

  /** Every row, so many at a time. */
  *pages(size: number): Generator<MirrorRow[]> {
    for (let page = this.page(0, size); page.length > 0;) {
      yield page;
      page = this.page(page.at(-1)?.memory ?? Number.MAX_SAFE_INTEGER, size);
    }
  }

  /** Every row; never all at once. */
  *rows(): Generator<MirrorRow> {
    for (const page of this.pages(PAGE)) yield* page;
  }

  /** Which of `ids` are remembered here. */
  known(ids: readonly string[]): Set<string> {
    const find = this.#db.prepare("SELECT 1 FROM memory WHERE collection = ? AND id = ?");
    return new Set(ids.filter((id) => find.get(this.#collection, id) !== undefined));
  }

  /** Newest first. */
  select(filter: Filter, now: number, limit: number, after?: string): MemoryRecord[] {
    const condition = this.#condition(filter, now);
    const start = after === undefined ? undefined : this.find(after);
    const from =
      start === undefined
        ? { sql: "", parameters: [] }
        : {
            sql: "AND (memory.created_at, memory.memory) < (?, ?)",
            parameters: [start.content.createdAt, start.memory],
          };
    const rows = this.#db.raw
      .prepare(
        `SELECT ${MEMORY_COLUMNS}, ${DURABILITY} FROM memory WHERE ${condition.sql} ${from.sql}
         ORDER BY memory.created_at DESC, memory.memory DESC LIMIT ?`,
      )
      .all(...condition.parameters, ...from.parameters, limit);
    return (rows as unknown as RawRowWithDurability[]).map(toRecord);
  }

  record(id: string): MemoryRecord | undefined {
    const row = this.#db
      .prepare(
        `SELECT ${MEMORY_COLUMNS}, ${DURABILITY} FROM memory WHERE collection = ? AND id = ?`,
      )
      .get(this.#collection, id) as RawRowWithDurability | undefined;
    return row && toRecord(row);
  }

  countMatching(filter: Filter, now: number): number {
    const condition = this.#condition(filter, now);
    return this.#count(`memory WHERE ${condition.sql}`, condition);
  }

  /** Expired memories included: they are still there to be forgotten. */
  idsMatching(filter: Filter): string[] {
    const condition = this.#condition(filter, Number.NEGATIVE_INFINITY);
    const rows = this.#db.raw
      .prepare(`SELECT id FROM memory WHERE ${condition.sql} ORDER BY memory`)
      .all(...condition.parameters);
    return rows.map((row) => (row as { id: string }).id);
  }

  expiredIds(now: number, limit: number): string[] {
    const rows = this.#db
      .prepare("SELECT id FROM memory WHERE collection = ? AND expires_at <= ? LIMIT ?")
      .all(this.#collection, now, limit);
    return rows.map((row) => (row as { id: string }).id);
  }

  /** Everything held, expired memories included. */
  count(): number {
    return this.#count("memory WHERE collection = ?", {
      sql: "",
      parameters: [this.#collection],
    });
  }

  /** Memories whose newest revision the store is known to hold. */
  *appliedIds(): Generator<string> {
    const rows = this.#db.raw
      .prepare("SELECT id FROM memory WHERE collection = ? AND applied_revision >= revision")
      .iterate(this.#collection);
    for (const row of rows) yield (row as { id: string }).id;
  }

  /** How many of these memories the store holds in some revision. */
  countApplied(): number {
    return this.#count("memory WHERE collection = ? AND applied_revision > 0", {
      sql: "",
      parameters: [this.#collection],
    });
  }

  /** How many matching memories the store holds as they are, as far as is known; at most `most`. */
  countStored(filter: Filter, now: number, most: number): number {
    const { sql, parameters } = this.#condition(filter, now);
    return this.#count(
      `(SELECT 1 FROM memory WHERE ${sql} AND memory.applied_revision >= memory.revision LIMIT ?)`,
      { sql, parameters: [...parameters, most] },
    );
  }

  /** Whether the store was ever known to hold any of these memories. */
  hasApplied(): boolean {
    const row = this.#db
      .prepare("SELECT 1 FROM memory WHERE collection = ? AND applied_revision > 0 LIMIT 1")
      .get(this.#collection);
    return row !== undefined;
  }

  #condition(filter: Filter, now: number): Condition {
    return filterSql(this.#collection, filter, now);
  }

  #count(from: string, condition: Condition): number {
    const row = this.#db.raw
      .prepare(`SELECT count(*) AS n FROM ${from}`)
      .get(...condition.parameters);
    return (row as { n: number }).n;
  }

  #addIndexes(memory: number, content: MemoryContent): void {
    this.#db
      .prepare("INSERT INTO memory_text (rowid, text) VALUES (?, ?)")
      .run(memory, content.text);
    for (const tag of content.tags) {
      this.#db.prepare("INSERT INTO tag (tag, memory) VALUES (?, ?)").run(tag, memory);
    }
  }

  /** The full-text index needs the old text to remove its words. */
  #dropIndexes(row: MirrorRow): void {
    this.#db
      .prepare("INSERT INTO memory_text (memory_text, rowid, text) VALUES ('delete', ?, ?)")
      .run(row.memory, row.content.text);
    this.#db.prepare("DELETE FROM tag WHERE memory = ?").run(row.memory);
  }

  #dropVector(memory: number): void {
    this.#db.prepare("DELETE FROM vector WHERE memory = ?").run(memory);
  }
}

const DURABILITY = `CASE
  WHEN memory.applied_revision >= memory.revision THEN 'stored'
  WHEN EXISTS (SELECT 1 FROM entry WHERE entry.collection = memory.collection
    AND entry.id = memory.id AND entry.revision = memory.revision AND entry.state = 'dead') THEN 'dead'
  ELSE 'queued' END AS durability`;
