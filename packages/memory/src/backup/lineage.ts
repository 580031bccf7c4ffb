import { randomUUID } from "node:crypto";
import type { Database } from "@holdfast/sqlite";

/** A stretch of a collection's history without a restore or salvage in it. */
export interface Lineage {
  lineage: string;
  /** The last write before it began. */
  fromSeq: number;
  /** When it began, wall-clock milliseconds. */
  at: number;
}

/** The lineages of a collection, oldest first. */
export function lineagesOf(db: Database, collection: number): Lineage[] {
  return db
    .prepare(
      `SELECT lineage, from_seq AS fromSeq, at FROM lineage WHERE collection = ? ORDER BY rowid`,
    )
    .all(collection) as unknown as Lineage[];
}

/** The one that a collection is in now; a file that has none yet begins one. */
export function currentLineage(db: Database, collection: number, now: number): string {
  return (
    lineagesOf(db, collection).at(-1)?.lineage ??
    db.transaction(
      () => lineagesOf(db, collection).at(-1)?.lineage ?? beginLineage(db, collection, 0, now),
    )
  );
}

/** Inside a transaction: what came before and what comes after are two histories. */
export function beginLineage(
  db: Database,
  collection: number,
  fromSeq: number,
  now: number,
): string {
  const lineage = randomUUID();
  db.prepare("INSERT INTO lineage (lineage, collection, from_seq, at) VALUES (?, ?, ?, ?)").run(
    lineage,
    collection,
    fromSeq,
    now,
  );
  return lineage;
}

/** The last number that was given: of a write (`entry`) or a change. It never falls. */
export function lastNumber(db: Database, table: "entry" | "change"): number {
  const row = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table) as
    | { seq: number }
    | undefined;
  return row?.seq ?? 0;
}

/** Up to which number writes of a collection were dropped. */
export function prunedUpTo(db: Database, collection: number): number {
  const row = db.prepare("SELECT seq FROM pruned WHERE collection = ?").get(collection) as
    | { seq: number }
    | undefined;
  return row?.seq ?? 0;
}
