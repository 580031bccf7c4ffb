import type { DatabaseSync } from "node:sqlite";
import {
  assertBatch,
  assertCount,
  assertRecords,
  assertVector,
  assertWhere,
  type CallOptions,
  type CollectionInfo,
  lastOfEachId,
  type Match,
  type Metadata,
  type QueryOptions,
  sameEmbedder,
  type ScanOptions,
  StoreError,
  type StoredRecord,
  type VectorCollection,
  type VectorRecord,
  type Where,
} from "@holdfast/store";
import { type CollectionRow, infoOf, type SqliteVectorStore } from "./sqlite-vector-store.ts";

interface RecordRow {
  id: string;
  document: string | null;
  metadata: string;
  embedding: Uint8Array;
}

/** A handle: it follows its collection through renames, and turns to the name's new one after that. */
export class SqliteCollection implements VectorCollection {
  readonly info: CollectionInfo;
  readonly #store: SqliteVectorStore;
  #row: CollectionRow;

  constructor(store: SqliteVectorStore, row: CollectionRow) {
    this.#store = store;
    this.#row = row;
    this.info = infoOf(row);
  }

  async upsert(records: readonly VectorRecord[], options?: CallOptions): Promise<void> {
    assertRecords(records, this.info.embedder, this.#store.limits.batchRecordsMax);
    const rows = lastOfEachId(records).map(toRow);
    for (const row of rows) assertFits(row, this.#store.limits.batchBytesMax);
    this.#run(options, (db, collection) => {
      const put = db.prepare("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)");
      db.exec("BEGIN");
      for (const { id, document, metadata, embedding } of rows)
        put.run(collection, id, document, metadata, embedding);
      db.exec("COMMIT");
    });
  }

  async get(
    ids: readonly string[],
    options?: CallOptions & { embeddings?: boolean },
  ): Promise<StoredRecord[]> {
    return this.#run(options, (db, collection) => {
      const find = db.prepare("SELECT * FROM record WHERE collection = ? AND id = ?");
      const rows = [...new Set(ids)].map((id) => find.get(collection, id));
      return rows.flatMap((row) =>
        row === undefined ? [] : [stored(row as unknown as RecordRow, options?.embeddings)],
      );
    });
  }

  async query(embedding: Float32Array, options: QueryOptions): Promise<Match[]> {
    assertCount("limit", options.limit, 0);
    assertVector(embedding, this.info.embedder?.dimension);
    assertWhere(options.where ?? {});
    const distance = DISTANCES[this.info.distance];
    return this.#rows(options, options.where)
      .map((row) => ({ ...stored(row), distance: distance(embedding, vectorOf(row)) }))
      .toSorted((left, right) => left.distance - right.distance)
      .slice(0, options.limit);
  }

  async delete(ids: readonly string[], options?: CallOptions): Promise<void> {
    assertBatch("delete", ids.length, this.#store.limits.batchRecordsMax);
    this.#run(options, (db, collection) => {
      const drop = db.prepare("DELETE FROM record WHERE collection = ? AND id = ?");
      for (const id of ids) drop.run(collection, id);
    });
  }

  async count(options?: CallOptions): Promise<number> {
    return this.#rows(options).length;
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<StoredRecord[], void, undefined> {
    const pageSize = options.pageSize ?? 500;
    assertCount("pageSize", pageSize, 1);
    assertWhere(options.where ?? {});
    for (let from = 0; ; from += pageSize) {
      const page = this.#rows(options, options.where).slice(from, from + pageSize);
      if (page.length > 0) yield page.map((row) => stored(row, options.embeddings));
      if (page.length < pageSize) return;
    }
  }

  #rows(options: CallOptions | undefined, where: Where = {}): RecordRow[] {
    const rows = this.#run(options, (db, collection) =>
      db.prepare("SELECT * FROM record WHERE collection = ? ORDER BY id").all(collection),
    ) as unknown as RecordRow[];
    const wanted = Object.entries(where);
    if (wanted.length === 0) return rows;
    return rows.filter((row) => {
      const metadata = JSON.parse(row.metadata) as Metadata;
      return wanted.every(([key, value]) => metadata[key] === value);
    });
  }

  #run<T>(options: CallOptions | undefined, work: (db: DatabaseSync, collection: number) => T): T {
    return this.#store.run(options, (db) => {
      if (!this.#store.exists(this.#row.collection)) this.#turnToSuccessor();
      return work(db, this.#row.collection);
    });
  }

  #turnToSuccessor(): void {
    const successor = this.#store.find(this.info.name);
    if (!sameEmbedder(infoOf(successor).embedder, this.info.embedder))
      throw new StoreError(`${this.info.name} holds another model's vectors`, {
        code: "EMBEDDER_MISMATCH",
      });
    this.#row = successor;
  }
}

const toRow = ({ id, document, metadata, embedding }: VectorRecord): RecordRow => ({
  id,
  document,
  metadata: JSON.stringify(metadata),
  embedding: new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength).slice(),
});

function assertFits({ id, document, metadata, embedding }: RecordRow, bytesMax: number): void {
  const bytes =
    Buffer.byteLength(document ?? "") + Buffer.byteLength(metadata) + embedding.byteLength;
  if (bytes <= bytesMax) return;
  throw new StoreError(`The record ${id} has ${bytes} bytes, more than ${bytesMax}`, {
    code: "STORE_REJECTED",
  });
}

const vectorOf = ({ embedding }: RecordRow): Float32Array =>
  new Float32Array(embedding.slice().buffer);

const stored = (row: RecordRow, embeddings = false): StoredRecord => ({
  id: row.id,
  document: row.document,
  metadata: JSON.parse(row.metadata) as Metadata,
  ...(embeddings ? { embedding: vectorOf(row) } : {}),
});

const dot = (left: Float32Array, right: Float32Array): number =>
  left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);

const DISTANCES = {
  ip: (left: Float32Array, right: Float32Array) => 1 - dot(left, right),
  l2: (left: Float32Array, right: Float32Array) =>
    left.reduce((sum, value, at) => sum + (value - (right[at] ?? 0)) ** 2, 0),
  cosine: (left: Float32Array, right: Float32Array) =>
    1 - dot(left, right) / (Math.sqrt(dot(left, left) * dot(right, right)) || 1),
};
