import type { Database } from "@holdfast/sqlite";

const TOTALS = [
  "accepted",
  "stored",
  "discarded",
  "refused",
  "queued_records",
  "queued_bytes",
  "kept_records",
  "kept_bytes",
] as const;

type Total = (typeof TOTALS)[number];

/** By how much running totals change; those that are not named stay. */
export type Change = Partial<Record<Total, number>>;

/** The running totals of a collection's writes: the ledger is theirs, and so are the bounds. */
export class Totals {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  add(change: Change): void {
    const added = Object.keys(change).map((total) => `${total} = ${total} + ?`);
    this.#db
      .prepare(`UPDATE collection SET ${added.join(", ")} WHERE collection = ?`)
      .run(...Object.values(change), this.#collection);
  }

  read(): Record<Total, number> {
    return this.#db
      .prepare(`SELECT ${TOTALS.join(", ")} FROM collection WHERE collection = ?`)
      .get(this.#collection) as Record<Total, number>;
  }
}
