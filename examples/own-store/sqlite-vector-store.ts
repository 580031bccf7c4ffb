// A store adapter of one's own: vectors in a SQLite file, searched by reading all of them. Enough
// for some thousand memories, and for showing what an adapter has to do. own-store.ts runs it
// through the suite that every adapter passes.
import { DatabaseSync } from "node:sqlite";
import {
  assertCollectionName,
  type CallOptions,
  type CollectionForm,
  type CollectionInfo,
  type CollectionSpec,
  StoreError,
  type StoreLimits,
  type VectorStore,
} from "@holdfast/store";
import { SqliteCollection } from "./sqlite-collection.ts";

/** A collection's row: its number stays when it is renamed. */
export interface CollectionRow {
  collection: number;
  name: string;
  /** What it was made with: JSON. */
  form: string;
}

export class SqliteVectorStore implements VectorStore {
  readonly limits: StoreLimits = { batchRecordsMax: 5_000, batchBytesMax: 64 * 1_024 * 1_024 };
  readonly #db: DatabaseSync;
  #closed = false;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS collection (
        collection INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
        form TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS record (
        collection INTEGER NOT NULL REFERENCES collection ON DELETE CASCADE,
        id TEXT NOT NULL, document TEXT, metadata TEXT NOT NULL, embedding BLOB NOT NULL,
        PRIMARY KEY (collection, id)
      ) STRICT;
    `);
  }

  async ping(options?: CallOptions): Promise<void> {
    this.run(options, (db) => db.prepare("SELECT 1").get());
  }

  async listCollections(options?: CallOptions): Promise<CollectionInfo[]> {
    const rows = this.run(options, (db) => db.prepare("SELECT * FROM collection").all());
    return (rows as unknown as CollectionRow[]).map(infoOf);
  }

  async openCollection(name: string, options?: CallOptions): Promise<SqliteCollection> {
    return new SqliteCollection(
      this,
      this.run(options, () => this.find(name)),
    );
  }

  async createCollection(spec: CollectionSpec, options?: CallOptions): Promise<SqliteCollection> {
    assertCollectionName(spec.name);
    const { name, embedder, distance = "cosine", settings = {} } = spec;
    this.run(options, (db) => {
      this.#refuseTaken(name);
      const form = JSON.stringify({ embedder, distance, settings });
      db.prepare("INSERT INTO collection (name, form) VALUES (?, ?)").run(name, form);
    });
    return this.openCollection(name);
  }

  async renameCollection(from: string, to: string, options?: CallOptions): Promise<void> {
    assertCollectionName(to);
    this.run(options, (db) => {
      const { collection } = this.find(from);
      this.#refuseTaken(to);
      db.prepare("UPDATE collection SET name = ? WHERE collection = ?").run(to, collection);
    });
  }

  async deleteCollection(name: string, options?: CallOptions): Promise<void> {
    this.run(options, (db) => {
      db.prepare("DELETE FROM collection WHERE collection = ?").run(this.find(name).collection);
    });
  }

  /** Nothing that was asked of a file surfaces after a restart. */
  incarnation(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#closed) this.#db.close();
    this.#closed = true;
  }

  /** Everything goes through here: the caller's signal and `close` end a call, SQLite's errors are told. */
  run<T>(options: CallOptions | undefined, work: (db: DatabaseSync) => T): T {
    if (this.#closed) throw new StoreError("The store is closed", { code: "STORE_ABORTED" });
    if (options?.signal?.aborted === true) {
      const { reason } = options.signal as { reason: unknown };
      throw new StoreError("The caller ended the call", { code: "STORE_ABORTED", cause: reason });
    }
    try {
      return work(this.#db);
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      throw new StoreError(`SQLite: ${(cause as Error).message}`, {
        code: "STORE_UNAVAILABLE",
        cause,
      });
    }
  }

  find(name: string): CollectionRow {
    const row = this.#db.prepare("SELECT * FROM collection WHERE name = ?").get(name);
    if (row !== undefined) return row as unknown as CollectionRow;
    throw new StoreError(`There is no collection ${name}`, { code: "COLLECTION_NOT_FOUND" });
  }

  exists(collection: number): boolean {
    const find = this.#db.prepare("SELECT 1 FROM collection WHERE collection = ?");
    return find.get(collection) !== undefined;
  }

  #refuseTaken(name: string): void {
    if (this.#db.prepare("SELECT 1 FROM collection WHERE name = ?").get(name) === undefined) return;
    throw new StoreError(`The name ${name} is taken`, { code: "COLLECTION_EXISTS" });
  }
}

export function infoOf({ name, form }: CollectionRow): CollectionInfo {
  const { embedder, distance, settings } = JSON.parse(form) as CollectionForm;
  return { name, embedder, distance, settings };
}
