import type { Database } from "@holdfast/sqlite";
import type { DeadLetter, Ledger } from "./memory.ts";
import { type Change, Totals } from "./totals.ts";

export type Operation = "put" | "forget";

export interface QueuedEntry {
  seq: number;
  id: string;
  revision: number;
  operation: Operation;
}

/** How a write that was accepted stands; one that was pruned after it was stored is stored. */
export type EntryState = "queued" | "stored" | "dead";

/**
 * Accepted writes of one collection and their ledger. Its methods open no transaction of their
 * own; the journal does.
 */
export class Outbox {
  readonly #db: Database;
  readonly #collection: number;
  readonly #totals: Totals;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
    this.#totals = new Totals(db, collection);
  }

  /** Appends an accepted write. Returns its place in the order of all writes. */
  append(entry: {
    id: string;
    revision: number;
    operation: Operation;
    payload: string | null;
    bytes: number;
    now: number;
  }): number {
    const { lastInsertRowid } = this.#db
      .prepare(
        `INSERT INTO entry (collection, id, revision, operation, accepted_at, bytes, payload)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        this.#collection,
        entry.id,
        entry.revision,
        entry.operation,
        entry.now,
        entry.bytes,
        entry.payload,
      );
    this.#totals.add({ accepted: 1, queued_records: 1, queued_bytes: entry.bytes });
    return Number(lastInsertRowid);
  }

  /** The oldest queued writes, in order. */
  queued(limit: number): QueuedEntry[] {
    return this.#db
      .prepare(
        `SELECT seq, id, revision, operation FROM entry
         WHERE collection = ? AND state = 'queued' ORDER BY seq LIMIT ?`,
      )
      .all(this.#collection, limit) as unknown as QueuedEntry[];
  }

  /** How many writes wait, without those of memories that have one of these tags. */
  queuedExcept(tags: readonly string[]): number {
    const { records } = this.load();
    if (records === 0 || tags.length === 0) return records;
    const marks = tags.map(() => "?").join(", ");
    const row = this.#db.raw
      .prepare(
        `SELECT count(*) AS n FROM entry WHERE collection = ? AND state = 'queued'
           AND NOT EXISTS (SELECT 1 FROM memory JOIN tag USING (memory)
             WHERE memory.collection = entry.collection AND memory.id = entry.id
               AND tag.tag IN (${marks}))`,
      )
      .get(this.#collection, ...tags) as { n: number };
    return row.n;
  }

  hasQueued(id: string): boolean {
    return this.newestQueued(id) !== undefined;
  }

  /** The last of an id's queued writes. */
  newestQueued(id: string): { revision: number; operation: Operation } | undefined {
    return this.#db
      .prepare(
        `SELECT revision, operation FROM entry
         WHERE collection = ? AND id = ? AND state = 'queued' ORDER BY revision DESC LIMIT 1`,
      )
      .get(this.#collection, id) as { revision: number; operation: Operation } | undefined;
  }

  /**
   * Keeps what the store holds of an id, beside the write that is to replace it: when that one is
   * refused and given up, this is what remains. Without effect when it is kept already.
   */
  keep(id: string, revision: number, payload: string, now: number): void {
    const kept = this.#db
      .prepare("SELECT 1 FROM entry WHERE collection = ? AND id = ? AND revision = ?")
      .get(this.#collection, id, revision);
    if (kept !== undefined) return;
    const bytes = Buffer.byteLength(payload) + Buffer.byteLength(id);
    this.#db
      .prepare(
        `INSERT INTO entry (collection, id, revision, operation, state, accepted_at, bytes, payload)
         VALUES (?, ?, ?, 'put', 'stored', ?, ?, ?)`,
      )
      .run(this.#collection, id, revision, now, bytes, payload);
    this.#totals.add({ kept_records: 1, kept_bytes: bytes });
  }

  /** Every queued write of `id` up to `revision` is in the store. Returns how many these were. */
  markStored(id: string, revision: number): number {
    const rows = this.#db
      .prepare(
        `UPDATE entry SET state = 'stored', reason = NULL
         WHERE collection = ? AND id = ? AND revision <= ? AND state = 'queued' RETURNING bytes`,
      )
      .all(this.#collection, id, revision) as { bytes: number }[];
    const { length } = rows;
    this.#totals.add({
      ...unqueued(rows),
      stored: length,
      kept_records: length,
      kept_bytes: sum(rows),
    });
    return length;
  }

  /**
   * The store refused `id` at `revision`, for good. What was queued before a forget that still
   * waits is not buried, nor is the forget. Returns how many writes are.
   */
  bury(id: string, revision: number, reason: string): number {
    const rows = this.#db
      .prepare(
        `UPDATE entry SET state = 'dead', reason = ?
         WHERE collection = ? AND id = ? AND revision <= ? AND state = 'queued'
           AND revision > (SELECT coalesce(max(revision), 0) FROM entry
             WHERE collection = ? AND id = ? AND state = 'queued' AND operation = 'forget')
         RETURNING bytes`,
      )
      .all(reason, this.#collection, id, revision, this.#collection, id) as { bytes: number }[];
    this.#totals.add(unqueued(rows));
    return rows.length;
  }

  /** Takes the text of a forgotten id out of every write that carried it, and what a refusal said. */
  scrub(id: string): void {
    this.#db
      .prepare("UPDATE entry SET payload = NULL, reason = NULL WHERE collection = ? AND id = ?")
      .run(this.#collection, id);
  }

  /** The highest revision among the writes of `id` that are kept; 0 for none. */
  newestRevision(id: string): number {
    const row = this.#db
      .prepare("SELECT max(revision) AS newest FROM entry WHERE collection = ? AND id = ?")
      .get(this.#collection, id) as { newest: number | null };
    return row.newest ?? 0;
  }

  /** What the write of `id` at `revision` put; undefined when it is not kept. */
  payloadAt(id: string, revision: number): string | undefined {
    const row = this.#db
      .prepare(
        `SELECT payload FROM entry WHERE collection = ? AND id = ? AND revision = ?
           AND payload IS NOT NULL`,
      )
      .get(this.#collection, id, revision) as { payload: string } | undefined;
    return row?.payload;
  }

  /** The last write of `id` that is kept and was not forgotten, however it stands. */
  newestPut(id: string): { revision: number; payload: string } | undefined {
    return this.#db
      .prepare(
        `SELECT revision, payload FROM entry WHERE collection = ? AND id = ?
           AND payload IS NOT NULL ORDER BY revision DESC LIMIT 1`,
      )
      .get(this.#collection, id) as { revision: number; payload: string } | undefined;
  }

  stateOf(seq: number): EntryState {
    const row = this.#db.prepare("SELECT state FROM entry WHERE seq = ?").get(seq) as
      | { state: EntryState }
      | undefined;
    return row?.state ?? "stored";
  }

  deadLetters(): DeadLetter[] {
    const rows = this.#db
      .prepare(
        `SELECT seq, id, revision, operation, reason, accepted_at AS acceptedAt FROM entry
         WHERE collection = ? AND state = 'dead' ORDER BY seq`,
      )
      .all(this.#collection);
    return rows.map((row) => ({ ...row })) as unknown as DeadLetter[];
  }

  /** Queues a dead letter again. False when there is none by this number. */
  revive(seq: number): boolean {
    const row = this.#db
      .prepare(
        `UPDATE entry SET state = 'queued', reason = NULL
         WHERE collection = ? AND seq = ? AND state = 'dead' RETURNING bytes`,
      )
      .get(this.#collection, seq) as { bytes: number } | undefined;
    if (row === undefined) return false;
    this.#totals.add({ queued_records: 1, queued_bytes: row.bytes });
    return true;
  }

  /** Gives a dead letter up. False when there is none by this number. */
  discard(seq: number): boolean {
    const { changes } = this.#db
      .prepare("DELETE FROM entry WHERE collection = ? AND seq = ? AND state = 'dead'")
      .run(this.#collection, seq);
    if (changes === 0) return false;
    this.#totals.add({ discarded: 1 });
    return true;
  }

  /**
   * A restore has replaced the state that the queued writes up to `seq` led to: those that are part
   * of the new one too are stored with it, and so are those that forgot; the others are given up.
   */
  supersede(seq: number): void {
    const rows = this.#db
      .prepare(
        `DELETE FROM entry WHERE collection = ? AND seq <= ? AND state = 'queued'
         RETURNING seq, bytes, operation = 'forget' OR EXISTS (SELECT 1 FROM memory
           WHERE memory.collection = entry.collection AND memory.id = entry.id
             AND memory.applied_revision >= entry.revision) AS stored`,
      )
      .all(this.#collection, seq) as { seq: number; bytes: number; stored: number }[];
    this.#noteDropped(rows);
    const stored = rows.reduce((total, row) => total + row.stored, 0);
    this.#totals.add({ ...unqueued(rows), stored, discarded: rows.length - stored });
  }

  countRefused(writes: number): void {
    this.#totals.add({ refused: writes });
  }

  /** What waits, for the bound: records and bytes. */
  load(): { records: number; bytes: number } {
    const { queued_records: records, queued_bytes: bytes } = this.#totals.read();
    return { records, bytes };
  }

  oldestQueuedAt(): number | undefined {
    const row = this.#db
      .prepare(
        `SELECT accepted_at AS at FROM entry WHERE collection = ? AND state = 'queued'
         ORDER BY seq LIMIT 1`,
      )
      .get(this.#collection) as { at: number } | undefined;
    return row?.at;
  }

  /** Queued and dead writes are counted one by one, not taken from a running total. */
  ledger(): Ledger {
    const { accepted, stored, discarded, refused } = this.#totals.read();
    const queued = this.#countState("queued");
    const dead = this.#countState("dead");
    const residual = accepted - (stored + queued + dead + discarded);
    return { accepted, stored, queued, dead, discarded, refused, residual };
  }

  /** About how many stored writes are kept beyond the bounds. */
  surplus(recordsMax: number, bytesMax: number): number {
    const { kept_records: records, kept_bytes: bytes } = this.#totals.read();
    const beyondBytes = bytes > bytesMax ? Math.ceil(records * (1 - bytesMax / bytes)) : 0;
    return Math.max(0, records - recordsMax, beyondBytes);
  }

  /**
   * Drops the oldest stored writes beyond the bounds, a thousand at a time, but none that says what
   * the store holds while a newer one waits. Returns how many.
   */
  prune(recordsMax: number, bytesMax: number): number {
    const surplus = this.surplus(recordsMax, bytesMax);
    if (surplus === 0) return 0;
    const rows = this.#db
      .prepare(
        `DELETE FROM entry WHERE seq IN (SELECT seq FROM entry
           WHERE collection = ? AND state = 'stored' AND NOT EXISTS (SELECT 1 FROM memory
             WHERE memory.collection = entry.collection AND memory.id = entry.id
               AND memory.applied_revision = entry.revision AND memory.revision > entry.revision)
           ORDER BY seq LIMIT ?) RETURNING seq, bytes`,
      )
      .all(this.#collection, Math.min(surplus, 1_000)) as { seq: number; bytes: number }[];
    this.#noteDropped(rows);
    this.#totals.add({ kept_records: -rows.length, kept_bytes: -sum(rows) });
    return rows.length;
  }

  /** From before these no replay can begin any more. */
  #noteDropped(rows: readonly { seq: number }[]): void {
    if (rows.length === 0) return;
    this.#db
      .prepare(
        `INSERT INTO pruned VALUES (?, ?)
         ON CONFLICT (collection) DO UPDATE SET seq = max(seq, excluded.seq)`,
      )
      .run(
        this.#collection,
        rows.reduce((last, { seq }) => Math.max(last, seq), 0),
      );
  }

  #countState(state: "queued" | "dead"): number {
    const row = this.#db
      .prepare(`SELECT count(*) AS n FROM entry WHERE collection = ? AND state = '${state}'`)
      .get(this.#collection);
    return (row as { n: number }).n;
  }
}

/** What leaves the queue. */
function unqueued(rows: readonly { bytes: number }[]): Change {
  return { queued_records: -rows.length, queued_bytes: -sum(rows) };
}

function sum(rows: readonly { bytes: number }[]): number {
  return rows.reduce((total, row) => total + row.bytes, 0);
}
