import type { Database } from "@holdfast/sqlite";
import { hashOfId } from "../tombstones.ts";
import type { ForgottenLine } from "./backup-line.ts";

const PAGE = 1_000;

/**
 * Every id of a collection that was ever forgotten, as hashes: what keeps the forgotten forgotten
 * when something older comes back.
 */
export class ForgottenIds {
  readonly #db: Database;
  readonly #collection: number;
  /** Another collection of this file whose backup is restored: what it forgot counts as well. */
  readonly #origin: number | undefined;
  #known: readonly (readonly [collection: number, salt: number])[] | undefined;

  /** `from` is the name of the collection that was backed up. */
  constructor(db: Database, collection: number, from?: string) {
    this.#db = db;
    this.#collection = collection;
    const found = db.prepare("SELECT collection FROM collection WHERE name = ?").get(from ?? "") as
      | { collection: number }
      | undefined;
    this.#origin = found?.collection === collection ? undefined : found?.collection;
  }

  /**
   * Whether `id` was forgotten after a backup of `backupAt` (wall-clock milliseconds) saw it at
   * `revision`: by the order of its writes, or by the time, where the writes were another machine's.
   */
  isForgottenSince(id: string, revision: number, backupAt: number): boolean {
    const asked = this.#db.prepare(
      `SELECT 1 FROM (
         SELECT revision, forgotten_at FROM tombstone
           WHERE collection = ? AND collection = ? AND id_hash = ? -- salted with its number
         UNION ALL SELECT revision, forgotten_at FROM forgotten
           WHERE collection = ? AND salt = ? AND id_hash = ?)
       WHERE revision > ? OR forgotten_at >= ?`,
    );
    return this.#places().some((place) => {
      const where = [...place, hashOfId(place[1], id)] as const;
      return asked.get(...where, ...where, revision, backupAt) !== undefined;
    });
  }

  /** Looks again under which salts there are ids: others may have added some. */
  renew(): void {
    this.#known = undefined;
  }

  /** Whether anything was. */
  any(): boolean {
    this.renew();
    const found = this.#db
      .prepare(
        `SELECT 1 FROM tombstone WHERE collection = ?
         UNION ALL SELECT 1 FROM forgotten WHERE collection = ? LIMIT 1`,
      )
      .get(this.#collection, this.#collection);
    return found !== undefined;
  }

  /** Takes over what another machine, or an earlier state of this one, had forgotten. */
  add(lines: Iterable<ForgottenLine>): void {
    const insert = this.#db.prepare(
      `INSERT INTO forgotten VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (collection, salt, id_hash) DO UPDATE SET
         revision = max(revision, excluded.revision),
         forgotten_at = max(forgotten_at, excluded.forgotten_at)`,
    );
    for (const { salt, hash, revision, at } of lines)
      insert.run(this.#collection, salt, Buffer.from(hash, "hex"), revision, at);
    this.renew();
  }

  /** Takes over what the collection that was backed up has forgotten in this file. */
  addOrigin(): void {
    if (this.#origin !== undefined) this.add(new ForgottenIds(this.#db, this.#origin).since(0));
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

  #places(): readonly (readonly [collection: number, salt: number])[] {
    const collections = [this.#collection, this.#origin].filter((one) => one !== undefined);
    return (this.#known ??= collections.flatMap((collection) =>
      this.#saltsOf(collection).map((salt) => [collection, salt] as const),
    ));
  }

  /** Seeks from salt to salt: there are few, of perhaps very many ids. */
  #saltsOf(collection: number): number[] {
    const rows = this.#db
      .prepare(
        `WITH RECURSIVE found (salt) AS (
           SELECT min(salt) FROM forgotten WHERE collection = ?
           UNION ALL SELECT
             (SELECT min(salt) FROM forgotten WHERE collection = ? AND salt > found.salt)
             FROM found WHERE salt IS NOT NULL)
         SELECT salt FROM found WHERE salt IS NOT NULL`,
      )
      .all(collection, collection) as { salt: number }[];
    return [...new Set([collection, ...rows.map(({ salt }) => salt)])];
  }
}

interface Row {
  salt: number;
  hash: Uint8Array;
  revision: number;
  at: number;
}
