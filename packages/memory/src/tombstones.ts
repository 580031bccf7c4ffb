import { createHash } from "node:crypto";
import type { Database } from "@holdfast/sqlite";

export interface Tombstone {
  revision: number;
  /** Keys of metadata that the store may still hold. */
  sentKeys: readonly string[];
}

/**
 * What outlives forgotten memories of one collection: for each id, as a hash, the revision that forgot
 * it. One stays until the store holds a newer memory of that id, in case that one is given up.
 */
export class Tombstones {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  of(id: string): Tombstone | undefined {
    const row = this.#db
      .prepare("SELECT revision, sent_keys FROM tombstone WHERE collection = ? AND id_hash = ?")
      .get(this.#collection, this.#hash(id)) as { revision: number; sent_keys: string } | undefined;
    return row && { revision: row.revision, sentKeys: JSON.parse(row.sent_keys) as string[] };
  }

  raise(id: string, { revision, sentKeys }: Tombstone, now: number): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?)")
      .run(this.#collection, this.#hash(id), revision, now, JSON.stringify(sentKeys));
  }

  /** The store holds nothing of this id any more. */
  markForgotten(id: string): void {
    this.#db
      .prepare("UPDATE tombstone SET sent_keys = '[]' WHERE collection = ? AND id_hash = ?")
      .run(this.#collection, this.#hash(id));
  }

  /**
   * The store holds `revision` of a memory that uses the id again. That it was forgotten is still
   * remembered, for a backup that is older than that.
   */
  raze(id: string, revision: number): void {
    const which = [this.#collection, this.#hash(id), revision] as const;
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO forgotten
         SELECT collection, collection, id_hash, revision, forgotten_at FROM tombstone
         WHERE collection = ? AND id_hash = ? AND revision < ?`,
      )
      .run(...which);
    this.#db
      .prepare("DELETE FROM tombstone WHERE collection = ? AND id_hash = ? AND revision < ?")
      .run(...which);
  }

  #hash(id: string): Uint8Array {
    return hashOfId(this.#collection, id);
  }
}

/** What remains of an id that was forgotten; `salt` is the collection's number. */
export function hashOfId(salt: number, id: string): Uint8Array {
  return createHash("sha256").update(`${salt}\0${id}`).digest();
}
