import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { systemClock } from "@holdfast/core";
import { migrate } from "./migrate.ts";
import { isBusy, SqliteError, translateOpenError, translateSqliteError } from "./sqlite-error.ts";

export interface OpenOptions {
  /** Statements that bring the file from version `i` to `i + 1`; append only, never edit one. */
  migrations: readonly string[];
  /** FULL: a commit returns after fsync. NORMAL: a power cut may undo the last commits. */
  synchronous?: "FULL" | "NORMAL";
  /** Overwrite deleted content with zeros. Default false. */
  secureDelete?: boolean;
  /** How long a statement waits for another process's lock, in milliseconds. Default 5000. */
  busyTimeoutMs?: number;
  /** Check the file's structure before use (`PRAGMA quick_check`). Default false. */
  quickCheck?: boolean;
  /**
   * The last connection that closes moves the WAL into the file, and waits for the disk twice. False:
   * it leaves that to the next one, or to the commit that makes the WAL too long. Default true.
   */
  checkpointOnClose?: boolean;
}

const BUSY_TIMEOUT_MS = 5_000;
const WAL_RETRY_MS = 5;

/**
 * A node:sqlite connection in WAL mode whose faults are {@link SqliteError}s. Files are created
 * 0600 in folders created 0700.
 */
export class Database implements Disposable {
  readonly path: string;
  readonly raw: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #busyTimeoutMs: number;
  readonly #checkpointOnClose: boolean;
  #open = true;

  private constructor(
    path: string,
    raw: DatabaseSync,
    options: { busyTimeoutMs: number; checkpointOnClose: boolean },
  ) {
    this.path = path;
    this.raw = raw;
    this.#busyTimeoutMs = options.busyTimeoutMs;
    this.#checkpointOnClose = options.checkpointOnClose;
  }

  /** Opens or creates `path` and migrates it. @throws SqliteError when the file or disk refuses. */
  static open(path: string, options: OpenOptions): Database {
    let raw: DatabaseSync | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const busyTimeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
      raw = new DatabaseSync(path, { timeout: busyTimeoutMs });
      useWal(raw, busyTimeoutMs);
      raw.exec(`PRAGMA synchronous = ${options.synchronous ?? "FULL"}`);
      if (options.secureDelete) raw.exec("PRAGMA secure_delete = ON");
      chmodSync(path, 0o600);
      if (options.quickCheck) quickCheck(raw, path);
      migrate(raw, options.migrations, path);
      const { checkpointOnClose = true } = options;
      return new Database(path, raw, { busyTimeoutMs, checkpointOnClose });
    } catch (error) {
      raw?.close();
      throw translateOpenError(error, path);
    }
  }

  /** Prepares once and keeps it: for statements whose text is fixed. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.raw.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Runs `work` in one transaction: all of it or nothing. Not re-entrant. Synchronous only.
   * @param mode IMMEDIATE: it may write; DEFERRED: it only reads, and keeps no writer out.
   */
  transaction<T>(work: () => T, mode: "DEFERRED" | "IMMEDIATE" = "IMMEDIATE"): T {
    try {
      this.prepare(`BEGIN ${mode}`).run();
      try {
        const result = work();
        this.prepare("COMMIT").run();
        return result;
      } catch (error) {
        // A full disk or an I/O error may have rolled back by itself.
        if (this.raw.isTransaction) this.raw.exec("ROLLBACK");
        throw error;
      }
    } catch (error) {
      throw translateSqliteError(error, this.path);
    }
  }

  /** Runs one read or write outside a transaction with faults translated. */
  run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translateSqliteError(error, this.path);
    }
  }

  /**
   * Moves the WAL into the file and empties it; what was securely deleted is then gone. False when
   * another connection was still in the way after `waitMs`, by default the busy timeout.
   */
  checkpoint(waitMs: number = this.#busyTimeoutMs): boolean {
    return this.run(() => {
      this.raw.exec(`PRAGMA busy_timeout = ${waitMs}`);
      try {
        const row = this.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
        return (row as { busy: number }).busy === 0;
      } finally {
        this.raw.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
      }
    });
  }

  /** Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const reader = this.#checkpointOnClose ? undefined : openReader(this.path);
    this.raw.close();
    reader?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** While it reads, no other is the last; and one that may only read moves nothing when it closes. */
function openReader(path: string): DatabaseSync | undefined {
  let reader: DatabaseSync | undefined;
  try {
    reader = new DatabaseSync(path, { readOnly: true });
    reader.prepare("SELECT count(*) FROM sqlite_schema").get();
    return reader;
  } catch {
    // Without it closing takes longer, and does more.
    reader?.close();
    return undefined;
  }
}

/** When a new file is turned to WAL, SQLite waits for nobody who is at it: who makes it, say. */
function useWal(raw: DatabaseSync, waitMs: number): void {
  const deadline = systemClock.monotonic() + waitMs;
  for (;;) {
    try {
      raw.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || systemClock.monotonic() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_RETRY_MS);
    }
  }
}

function quickCheck(raw: DatabaseSync, path: string): void {
  const first = raw.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (first.quick_check === "ok") return;
  throw new SqliteError(`The database is damaged: ${path} (${first.quick_check})`, {
    code: "SQLITE_CORRUPT",
    path,
    hint: "Keep a copy of the file before anything else writes to it.",
  });
}
