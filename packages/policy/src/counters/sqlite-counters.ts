import { Database } from "@holdfast/sqlite";
import type { Claim } from "../evaluation.ts";
import type { CountersView } from "./counters.ts";

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE tally (
     rule TEXT NOT NULL, subject TEXT NOT NULL, count INTEGER NOT NULL, last_at INTEGER NOT NULL,
     PRIMARY KEY (rule, subject)
   ) WITHOUT ROWID;
   CREATE TABLE claim (
     rule TEXT NOT NULL, slot TEXT NOT NULL, event TEXT NOT NULL,
     subject TEXT NOT NULL, at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
     PRIMARY KEY (rule, slot, event)
   ) WITHOUT ROWID;
   CREATE INDEX claim_by_time ON claim (rule, slot, subject, at);
   CREATE INDEX claim_by_end ON claim (keep_until);`,
];

/** An event that comes again within this time is known. */
const REPEAT_MS = 24 * 3_600_000;
/** More than one claim adds, so the file stays as large as what is in force. */
const FORGOTTEN_A_CLAIM = 4;

/** What limits have used, shared by all processes that open the same file. */
export class SqliteCounters implements CountersView, Disposable {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  /** Opens or creates the file. @throws SqliteError */
  static open(path: string): SqliteCounters {
    // A power cut may undo the last counts; nothing but a limit depends on them.
    return new SqliteCounters(
      Database.open(path, { migrations: MIGRATIONS, synchronous: "NORMAL" }),
    );
  }

  executions(rule: string, subject: string): { count: number; lastAt: number | undefined } {
    const row = this.#db.run(() =>
      this.#db
        .prepare("SELECT count, last_at AS lastAt FROM tally WHERE rule = ? AND subject = ?")
        .get(rule, subject),
    ) as { count: number; lastAt: number } | undefined;
    return row ?? { count: 0, lastAt: undefined };
  }

  usesBetween(rule: string, slot: string, subject: string, after: number, before: number): number {
    const row = this.#db.run(() =>
      this.#db
        .prepare(
          `SELECT COUNT(*) AS uses FROM claim
           WHERE rule = ? AND slot = ? AND subject = ? AND at > ? AND at < ?`,
        )
        .get(rule, slot, subject, Math.floor(after), Math.ceil(before)),
    ) as { uses: number };
    return row.uses;
  }

  counted(rule: string, slot: string, event: string): boolean {
    const row = this.#db.run(() =>
      this.#db
        .prepare("SELECT 1 FROM claim WHERE rule = ? AND slot = ? AND event = ?")
        .get(rule, slot, event),
    );
    return row !== undefined;
  }

  /** Decides and counts in one step, while no other process can. @throws SqliteError */
  exclusively<T extends { claims: readonly Claim[] }>(decide: (view: CountersView) => T): T {
    return this.#db.transaction(() => {
      const decided = decide(this);
      for (const claim of decided.claims) this.#count(claim);
      return decided;
    }, "IMMEDIATE");
  }

  /** Forgets what a rule has used, as when it is removed. @throws SqliteError */
  forget(rule: string): void {
    this.#db.transaction(() => {
      this.#db.prepare("DELETE FROM tally WHERE rule = ?").run(rule);
      this.#db.prepare("DELETE FROM claim WHERE rule = ?").run(rule);
    });
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #count({ rule, slot, subject, event, at, keepMs }: Claim): void {
    const keepUntil = at + Math.max(REPEAT_MS, Math.ceil(keepMs));
    const { changes } = this.#db
      .prepare(
        `INSERT OR IGNORE INTO claim (rule, slot, event, subject, at, keep_until)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(rule, slot, event, subject, at, keepUntil);
    if (Number(changes) === 0) return;
    if (slot === "")
      this.#db
        .prepare(
          `INSERT INTO tally (rule, subject, count, last_at) VALUES (?, ?, 1, ?)
           ON CONFLICT (rule, subject) DO UPDATE SET count = count + 1, last_at = excluded.last_at`,
        )
        .run(rule, subject, at);
    this.#db
      .prepare(
        `DELETE FROM claim WHERE (rule, slot, event) IN
           (SELECT rule, slot, event FROM claim WHERE keep_until < ? LIMIT ${FORGOTTEN_A_CLAIM})`,
      )
      .run(at);
  }
}
