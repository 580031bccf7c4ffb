import { Database } from "@holdfast/sqlite";
import type { Journal } from "../journal.ts";
import { MEMORY_COLUMNS, type MirrorRow, type RawRow, toRow } from "../mirror-row.ts";
import { MIGRATIONS } from "../schema.ts";
import { Tables } from "../tables.ts";
import type { MemoryLine } from "./backup-line.ts";
import { lastNumber } from "./lineage.ts";

/**
 * The journal as it was at one moment, however long it is read: a read transaction on a connection
 * of its own. Writers go on; only what they delete stays readable in the WAL until it is closed.
 */
export class Snapshot implements Disposable {
  readonly tables: Tables;
  readonly #collection: number;

  constructor(journal: Journal) {
    const db = Database.open(journal.path, { migrations: MIGRATIONS, synchronous: "NORMAL" });
    this.#collection = journal.collection;
    this.tables = new Tables(db, journal.collection, journal.writer);
    try {
      db.run(() => {
        db.raw.exec("BEGIN");
        // The moment is that of the first read.
        lastNumber(db, "entry");
      });
    } catch (error) {
      db.close();
      throw error;
    }
  }

  watermark(): { write: number; change: number } {
    const { db } = this.tables;
    return { write: lastNumber(db, "entry"), change: lastNumber(db, "change") };
  }

  /** Every memory, in the order in which they came. */
  *memories(): Generator<MemoryLine> {
    const rows = this.tables.db.raw
      .prepare(
        `SELECT ${MEMORY_COLUMNS}, vector.vector FROM memory NOT INDEXED LEFT JOIN vector USING (memory)
         WHERE memory.collection = ? ORDER BY memory.memory`,
      )
      .iterate(this.#collection);
    for (const raw of rows) yield lineOf(raw as unknown as RawRow & { vector: Uint8Array | null });
  }

  /** The ids that changed after the change `after`, each once; undefined for one that is gone. */
  *changes(after: number): Generator<{ id: string; line: MemoryLine | undefined }> {
    const { db, mirror } = this.tables;
    const rows = db.raw
      .prepare("SELECT id FROM change WHERE n > ? AND collection = ? ORDER BY n")
      .iterate(after, this.#collection);
    for (const row of rows) {
      const { id } = row as { id: string };
      const found = mirror.find(id);
      yield { id, line: found && toLine(found, mirror.vectorOf(found.memory)) };
    }
  }

  countChanges(after: number): number {
    const row = this.tables.db
      .prepare("SELECT count(*) AS n FROM change WHERE n > ? AND collection = ?")
      .get(after, this.#collection);
    return (row as { n: number }).n;
  }

  /** Idempotent. */
  close(): void {
    this.tables.db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function lineOf(raw: RawRow & { vector: Uint8Array | null }): MemoryLine {
  return toLine(
    toRow(raw),
    raw.vector === null ? undefined : new Float32Array(raw.vector.slice().buffer),
  );
}

function toLine(row: MirrorRow, vector: Float32Array | undefined): MemoryLine {
  const { id, revision, content, checksum } = row;
  return { t: "memory", id, revision, content, checksum, vector };
}
