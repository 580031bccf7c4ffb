import type { StatementSync } from "node:sqlite";
import { type Clock, systemClock } from "@holdfast/core";
import { Database } from "@holdfast/sqlite";
import { BreakerStoreError } from "./breaker-error.ts";
import type { BreakerRecord } from "./breaker-record.ts";
import type { BreakerStateStore, RecordChange } from "./breaker-state-store.ts";

const MIGRATIONS = [
  `CREATE TABLE breaker (
    key TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) STRICT`,
];

/** Waiting for another process's write stops every call of this one, so not for long. */
const BUSY_TIMEOUT_MS = 250;

/**
 * Shares breaker records among the processes of one host through a small SQLite file of its own.
 * Opened at first use. Not for network file systems.
 * Every method may throw SqliteError; the breaker then goes on alone and says so.
 */
export class SqliteBreakerStateStore implements BreakerStateStore, Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  #open: { db: Database; read: StatementSync; write: StatementSync } | undefined;

  constructor(path: string, deps: { clock?: Clock } = {}) {
    this.#path = path;
    this.#clock = deps.clock ?? systemClock;
  }

  read(key: string): BreakerRecord | undefined {
    const { db, read } = this.#opened();
    return db.run(() => this.#parse(read.get(key)));
  }

  update<T>(key: string, change: RecordChange<T>): { record: BreakerRecord; result: T } {
    const { db, read, write } = this.#opened();
    return db.transaction(() => {
      const current = this.#parse(read.get(key));
      const step = change(current, this.#clock.now());
      if (step.record !== current) write.run(key, JSON.stringify(step.record));
      return step;
    });
  }

  /** Idempotent; the next use opens the file again. */
  close(): void {
    this.#open?.db.close();
    this.#open = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #opened(): { db: Database; read: StatementSync; write: StatementSync } {
    if (this.#open) return this.#open;
    // A power cut may lose the last transition: it costs a few calls, where an fsync would cost
    // every failing one.
    const db = Database.open(this.#path, {
      migrations: MIGRATIONS,
      synchronous: "NORMAL",
      busyTimeoutMs: BUSY_TIMEOUT_MS,
    });
    this.#open = {
      db,
      read: db.raw.prepare("SELECT record FROM breaker WHERE key = ?"),
      write: db.raw.prepare("INSERT OR REPLACE INTO breaker (key, record) VALUES (?, ?)"),
    };
    return this.#open;
  }

  #parse(row: unknown): BreakerRecord | undefined {
    if (row === undefined) return undefined;
    const { record } = row as { record: string };
    try {
      return JSON.parse(record) as BreakerRecord;
    } catch (error) {
      throw new BreakerStoreError(`A record in ${this.#path} is not JSON`, error);
    }
  }
}
