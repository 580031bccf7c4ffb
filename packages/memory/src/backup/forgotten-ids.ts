import type { Database } from "@holdfast/sqlite";
import { hashOfId } from "../mirror.ts";
import type { ForgottenLine } from "./backup-line.ts";

const PAGE = 1_000;

/**
 * Every id of a collection that was ever forgotten, as hashes: what keeps the forgotten forgotten
 * when something older comes back.
 */
export class ForgottenIds {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  /**
   * Whether `id` was forgotten after a backup of `backupAt` (wall-clock milliseconds) saw it at
   * `revision`: by the order of its writes, or by the time, where the writes were another machine's.
   */
  isForgottenSince(id: string, revision: number, backupAt: number): boolean {
    return this.#salts().some((salt) => {
      const hash = hashOfId(salt, id);
      const found = this.#db
        .prepare(
          `SELECT 1 FROM (
             SELECT revision, forgotten_at FROM tombstone
               WHERE collection = ? AND collection = ? AND id_hash = ? -- salted with its number
             UNION ALL SELECT revision, forgotten_at FROM forgotten
               WHERE collection = ? AND salt = ? AND id_hash = ?)
           WHERE revision > ? OR forgotten_at >= ?`,
        )
        .get(this.#collection, salt, hash, this.#collection, salt, hash, revision, backupAt);
      return found !== undefined;
    });
  }

  /** Whether anything was. */
  any(): boolean {
    const found = this.#db
      .prepare(
        `SELECT 1 FROM tombstone WHERE collection = ?
         UNION ALL SELECT 1 FROM forgotten WHERE collection = ? LIMIT 1`,
      )
      .get(this.#collection, this.#collection);
    return found !== undefined;
  }

  /** Takes over what another machine, or an earlier state of this one, had forgotten. */
  add(lines: readonly ForgottenLine[]): void {
    const insert = this.#db.prepare(
      `INSERT INTO forgotten VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (collection, salt, id_hash) DO UPDATE SET
         revision = max(revision, excluded.revision),
         forgotten_at = max(forgotten_at, excluded.forgotten_at)`,
    );
    for (const { salt, hash, revision, at } of lines)
      insert.run(this.#collection, salt, Buffer.from(hash, "hex"), revision, at);
  }

  /** All that were forgotten since `at`, for a backup. */
  *since(at: number): Generator<ForgottenLine> {
    let after: Uint8Array = new Uint8Array();
    for (;;) {
      const rows = this.#db
        .prepare(
          `SELECT salt, id_hash AS hash, max(revision) AS revision, max(forgotten_at) AS at FROM (
             SELECT collection AS salt, id_hash, revision, forgotten_at FROM tombstone
               WHERE collection = ?
             UNION ALL SELECT salt, id_hash, revision, forgotten_at FROM forgotten
               WHERE collection = ?)
           WHERE forgotten_at >= ? AND id_hash > ?
           GROUP BY salt, id_hash ORDER BY id_hash LIMIT ?`,
        )
        .all(this.#collection, this.#collection, at, after, PAGE) as unknown as Row[];
      for (const row of rows)
        yield { ...row, t: "forgotten", hash: Buffer.from(row.hash).toString("hex") };
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.hash;
    }
  }

  #salts(): number[] {
    const rows = this.#db
      .prepare("SELECT DISTINCT salt FROM forgotten WHERE collection = ?")
      .all(this.#collection) as { salt: number }[];
    return [...new Set([this.#collection, ...rows.map(({ salt }) => salt)])];
  }
}

interface Row {
  salt: number;
  hash: Uint8Array;
  revision: number;
  at: number;
}
