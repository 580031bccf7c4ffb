import { createHash } from "node:crypto";
import type { Database } from "@holdfast/sqlite";
import type { Metadata, StoredRecord } from "@holdfast/store";
import { Mirror } from "../mirror.ts";
import { type RawText, textColumn, wholeText } from "../mirror-row.ts";
import { decodeContent, decodeRecord } from "../record-codec.ts";

/**
 * The number under which the records of other programs are kept that a sync has seen: no
 * collection has it.
 */
export const othersNumber = (collection: number): number => -(2 ** 40) - collection;

/** A record of another program, as the last sync saw it. */
export interface OtherRecord {
  /** The row's number, for pages. */
  memory: number;
  id: string;
  document: string | null;
  /** As the store gave it. */
  metadata: Metadata;
  vector: Float32Array | undefined;
}

/** What a sync did with a record that it saw. */
export type Sighting = "added" | "changed" | "returned" | "unchanged";

/**
 * What other programs have put into the collection, as far as syncs have seen it: found by its
 * words like our own memories, and kept as the store gave it, so that it can be given back. Its
 * methods open no transaction of their own.
 */
export class OthersMirror {
  readonly mirror: Mirror;
  readonly #db: Database;
  readonly #number: number;

  constructor(db: Database, collection: number, writer: string) {
    this.#db = db;
    this.#number = othersNumber(collection);
    this.mirror = new Mirror(db, this.#number, writer);
  }

  /** Whether any vector of `ids` is to be read: of records that are new here, or say another thing. */
  isStale(record: StoredRecord): boolean {
    return this.#last(record.id)?.checksum !== checksumOfRecord(record);
  }

  /**
   * Notes a record that sync `run` saw, and says what is new about it since an earlier one. Without
   * an embedding, its vector stays as it is.
   */
  see(record: StoredRecord, run: number): Sighting {
    const before = this.#last(record.id);
    const isStale = before?.checksum !== checksumOfRecord(record);
    const { embedding } = record;
    const isMoved =
      embedding !== undefined &&
      !sameVector(before && this.mirror.vectorOf(before.memory), embedding);
    if (before === undefined || isStale || isMoved) this.#put(record, run);
    else this.#noteSeen(before.memory, run);
    if (before?.seen === run) return "unchanged";
    if (before === undefined) return "added";
    if (before.vanished_at !== null) return "returned";
    return isStale || isMoved ? "changed" : "unchanged";
  }

  /** The id is ours by now, or was forgotten. */
  drop(id: string): void {
    const row = this.mirror.find(id);
    if (row !== undefined) this.mirror.drop(row);
  }

  /** Ids that sync `run` has not seen and no earlier one found gone, in order, after `after`. */
  unseen(run: number, after: number, limit: number): { memory: number; id: string }[] {
    return this.#db
      .prepare(
        `SELECT memory, id FROM memory JOIN other USING (memory)
         WHERE collection = ? AND memory > ? AND seen < ? AND vanished_at IS NULL
         ORDER BY memory LIMIT ?`,
      )
      .all(this.#number, after, run, limit) as { memory: number; id: string }[];
  }

  /** Notes that the store does not hold a record any more. It is kept until somebody decides. */
  markVanished(memory: number, now: number): void {
    this.#db.prepare("UPDATE other SET vanished_at = ? WHERE memory = ?").run(now, memory);
  }

  /** The records that the store holds, or with `vanished` those that it has lost, a page at a time. */
  page(
    after: number,
    limit: number,
    { vanished = false }: { vanished?: boolean } = {},
  ): OtherRecord[] {
    const rows = this.#db
      .prepare(
        `SELECT memory, id, ${textColumn("text")}, other.without_document AS bare, other.metadata AS raw
         FROM memory JOIN other USING (memory)
         WHERE collection = ? AND memory > ? AND (vanished_at IS NOT NULL) = ?
         ORDER BY memory LIMIT ?`,
      )
      .all(this.#number, after, vanished ? 1 : 0, limit) as unknown as RawOther[];
    return rows.map(({ memory, id, text, bare, raw }) => ({
      memory,
      id,
      document: bare === 1 ? null : wholeText(text),
      metadata: JSON.parse(raw) as Metadata,
      vector: this.mirror.vectorOf(memory),
    }));
  }

  /** Those of `ids` that the store was last seen to hold. */
  known(ids: readonly string[]): Set<string> {
    const find = this.#db.prepare(
      `SELECT 1 FROM memory JOIN other USING (memory)
       WHERE collection = ? AND id = ? AND vanished_at IS NULL`,
    );
    return new Set(ids.filter((id) => find.get(this.#number, id) !== undefined));
  }

  /** How many there are, and how many of them the store has lost. */
  count(): { held: number; vanished: number } {
    return this.#db
      .prepare(
        `SELECT count(*) FILTER (WHERE vanished_at IS NULL) AS held, count(vanished_at) AS vanished
         FROM memory JOIN other USING (memory) WHERE collection = ?`,
      )
      .get(this.#number) as { held: number; vanished: number };
  }

  /** Its vector stays while the text does, unless the record brings one. */
  #put(record: StoredRecord, run: number): void {
    const { id, document, metadata, embedding } = record;
    const revision = decodeRecord(record)?.revision ?? 0;
    this.mirror.put(id, revision, decodeContent(record), checksumOfRecord(record));
    const row = this.mirror.find(id);
    if (row === undefined) throw new TypeError("A record was put and is not there");
    this.mirror.markApplied(row, false);
    if (embedding !== undefined) this.mirror.keepVector(row, embedding);
    this.#db
      .prepare("INSERT OR REPLACE INTO other VALUES (?, ?, ?, ?, NULL)")
      .run(row.memory, document === null ? 1 : 0, JSON.stringify(metadata), run);
  }

  #noteSeen(memory: number, run: number): void {
    this.#db
      .prepare("UPDATE other SET seen = ?, vanished_at = NULL WHERE memory = ?")
      .run(run, memory);
  }

  #last(id: string): LastSighting | undefined {
    return this.#db
      .prepare(
        `SELECT memory, checksum, seen, vanished_at FROM memory JOIN other USING (memory)
         WHERE collection = ? AND id = ?`,
      )
      .get(this.#number, id) as LastSighting | undefined;
  }
}

interface LastSighting {
  memory: number;
  checksum: string;
  seen: number;
  vanished_at: number | null;
}

interface RawOther {
  memory: number;
  id: string;
  text: RawText;
  bare: number;
  raw: string;
}

/** What another program's record says: equal records, equal checksum. */
export function checksumOfRecord({
  document,
  metadata,
}: Pick<StoredRecord, "document" | "metadata">): string {
  const entries = Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([document, entries]))
    .digest("hex")
    .slice(0, 32);
}

function sameVector(a: Float32Array | undefined, b: Float32Array): boolean {
  return a?.length === b.length && a.every((value, index) => value === b[index]);
}
