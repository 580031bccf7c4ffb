import { type Database, isKnownDead, ownIdentity } from "@holdfast/sqlite";

/** After its first check, an unsettled id is read back again at growing distances. */
const FIRST_RECHECK_MS = 30_000;
const RECHECK_MS_MAX = 3_600_000;
/** A sender that can be neither seen nor heard of is given up after a day. */
const FOREIGN_SENDER_MS_MAX = 86_400_000;
const CHECKS_MIN = 2;
const GIVEN_UP = "";
/** A time further ahead than any is set for means that the clock was set back: it is due. */
const DUE = "next_check_at NOT BETWEEN ? + 1 AND ? + " + RECHECK_MS_MAX;

/**
 * Ids whose write was sent and not yet answered. While the sender holds its lease they are in
 * flight. When it failed without an answer, died, or lost its lease, the store may still apply
 * what was sent, at any later time: such an id is read back now, again after a while, and once
 * more after the database restarted.
 */
export class Unsettled {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  /** Notes, before sending, what is about to be sent under the lease `token`. */
  intend(ids: readonly string[], token: string, now: number): void {
    const insert = this.#db.prepare(
      `INSERT OR REPLACE INTO unsettled (collection, id, token, holder, since, next_check_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    for (const id of ids) insert.run(this.#collection, id, token, ownIdentity(), now, now);
  }

  /** What was sent under `token` was answered, or was never sent. */
  resolve(ids: readonly string[], token: string): void {
    const remove = this.#db.prepare(
      "DELETE FROM unsettled WHERE collection = ? AND id = ? AND token = ?",
    );
    for (const id of ids) remove.run(this.#collection, id, token);
  }

  /** Nothing of what was intended under `token` was sent. */
  forget(token: string): void {
    this.#db
      .prepare("DELETE FROM unsettled WHERE collection = ? AND token = ?")
      .run(this.#collection, token);
  }

  /** No answer will come for what was sent under `token`. */
  giveUp(token: string, now: number): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO unsettled (collection, id, token, holder, since, next_check_at)
         SELECT collection, id, '${GIVEN_UP}', '', since, ? FROM unsettled
         WHERE collection = ? AND token = ?`,
      )
      .run(now, this.#collection, token);
    this.#db
      .prepare("DELETE FROM unsettled WHERE collection = ? AND token = ?")
      .run(this.#collection, token);
  }

  /** What a reading found wrong must be read back again. */
  doubt(ids: readonly string[], now: number): void {
    this.intend(ids, GIVEN_UP, now);
  }

  /** Of `ids`, those with a write that may still surface, other than what `token` is sending. */
  among(ids: readonly string[], token: string): string[] {
    if (this.count() === 0) return [];
    const find = this.#db.prepare(
      "SELECT 1 FROM unsettled WHERE collection = ? AND id = ? AND token <> ? LIMIT 1",
    );
    return ids.filter((id) => find.get(this.#collection, id, token) !== undefined);
  }

  /** Ids to read back now, by the holder of the lease `token`. */
  due(token: string, now: number, incarnation: string | undefined, limit: number): string[] {
    this.#giveUpTheDead(token, now);
    const rows = this.#db
      .prepare(
        `SELECT DISTINCT id FROM unsettled WHERE collection = ? AND token <> ?
           AND (${DUE} OR (incarnation IS NOT NULL AND incarnation IS NOT ?)) LIMIT ?`,
      )
      .all(this.#collection, token, now, now, incarnation ?? null, limit);
    return rows.map((row) => (row as { id: string }).id);
  }

  /**
   * These ids were read back and are as they should be. A reading before its time proves nothing
   * about later, so only one that is due counts.
   */
  confirm(
    ids: readonly string[],
    token: string,
    now: number,
    incarnation: string | undefined,
  ): void {
    const read = this.#db.prepare(
      `SELECT token, since, checks, incarnation FROM unsettled
       WHERE collection = ? AND id = ? AND token <> ?
         AND (${DUE} OR (incarnation IS NOT NULL AND incarnation IS NOT ?))`,
    );
    const remove = this.#db.prepare(
      "DELETE FROM unsettled WHERE collection = ? AND id = ? AND token = ?",
    );
    const update = this.#db.prepare(
      `UPDATE unsettled SET checks = checks + 1, next_check_at = ?,
         incarnation = coalesce(incarnation, ?) WHERE collection = ? AND id = ? AND token = ?`,
    );
    for (const id of ids) {
      for (const raw of read.all(this.#collection, id, token, now, now, incarnation ?? null)) {
        const row = raw as unknown as UnsettledRow;
        if (isOver(row, now, incarnation)) remove.run(this.#collection, id, row.token);
        else {
          const wait = Math.min(RECHECK_MS_MAX, FIRST_RECHECK_MS * 2 ** row.checks);
          update.run(now + wait, incarnation ?? null, this.#collection, id, row.token);
        }
      }
    }
  }

  /** Ids, in flight ones included. */
  count(): number {
    const row = this.#db
      .prepare("SELECT count(DISTINCT id) AS n FROM unsettled WHERE collection = ?")
      .get(this.#collection);
    return (row as { n: number }).n;
  }

  /** A sender that died sends nothing more; what it sent may still be on its way. */
  #giveUpTheDead(token: string, now: number): void {
    const rows = this.#db
      .prepare(
        `SELECT DISTINCT token, holder FROM unsettled
         WHERE collection = ? AND token NOT IN (?, '${GIVEN_UP}')`,
      )
      .all(this.#collection, token) as { token: string; holder: string }[];
    for (const row of rows) if (isKnownDead(row.holder)) this.giveUp(row.token, now);
  }
}

interface UnsettledRow {
  token: string;
  since: number;
  checks: number;
  incarnation: string | null;
}

function isOver(row: UnsettledRow, now: number, incarnation: string | undefined): boolean {
  if (row.token !== GIVEN_UP) return now - row.since > FOREIGN_SENDER_MS_MAX;
  if (row.checks + 1 < CHECKS_MIN) return false;
  return incarnation === undefined || (row.incarnation !== null && row.incarnation !== incarnation);
}
