import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { StatementSync } from "node:sqlite";
import { Database, KernelLock, SqliteError } from "@holdfast/sqlite";
import type { Batch } from "./buffer.ts";
import { mergeEncodings } from "./histogram.ts";
import { maintain, type RetentionOptions } from "./maintenance.ts";
import { MetricsError } from "./metrics-error.ts";
import { MIGRATIONS, UPSERT_BUCKET } from "./schema.ts";
import { type Cell, OVERFLOW_NAME } from "./series.ts";

/** Resolution of the totals since the file began. */
export const TOTAL_RESOLUTION_MS = 0;

const SET_ASIDE_KEPT = 3;
const WAL_PAGES = 256;
const LOCK_WAIT_MS = 2_000;

export interface MetricsFileOptions extends RetentionOptions {
  path: string;
  /** Series kept in the file; later ones are counted under `_other`. */
  seriesMax: number;
}

/**
 * The file, opened when first needed. When it proves damaged it is moved aside, next to it, and a
 * new one begun; when another process did so, the new one is opened.
 */
export class MetricsFile {
  readonly path: string;
  readonly #options: MetricsFileOptions;
  readonly #onSetAside: (movedTo: string, cause: unknown) => void;
  #db: Database | undefined;
  #inode: string | undefined;
  #seriesIds = new Map<string, number>();

  constructor(options: MetricsFileOptions, onSetAside: (movedTo: string, cause: unknown) => void) {
    this.path = options.path;
    this.#options = options;
    this.#onSetAside = onSetAside;
  }

  /**
   * Adds a batch in one transaction, and maintains the file if that is due.
   * @throws SqliteError when file or disk refuse; nothing is then written.
   */
  write(batch: Batch, nowMs: number, busyTimeoutMs: number): void {
    this.#use(busyTimeoutMs, (db) => {
      const fresh = new Map<string, number>();
      db.transaction(() => {
        const upsert = db.raw.prepare(UPSERT_BUCKET);
        for (const cell of batch.cells) this.#writeCell(db, upsert, cell, nowMs, fresh);
        const insert = db.raw.prepare(
          "INSERT INTO event (at_ms, kind, subject, data) VALUES (?, ?, ?, ?)",
        );
        for (const { atMs, kind, subject, data } of batch.events) {
          insert.run(atMs, kind, subject, JSON.stringify(data));
        }
        maintain(db, this.#options, nowMs);
      });
      // Only now: what a rolled-back transaction inserted is gone.
      for (const [key, id] of fresh) this.#seriesIds.set(key, id);
    });
  }

  /**
   * Undefined when there is no file yet: reading never makes one.
   * @throws SqliteError when the file cannot be opened or read.
   */
  read<T>(work: (db: Database) => T, busyTimeoutMs: number): T | undefined {
    if (inodeOf(this.path) === undefined) return undefined;
    return this.#use(busyTimeoutMs, (db) => db.run(() => work(db)));
  }

  /**
   * Moves the damaged file aside unless another process already has.
   * @throws `cause` when another process is at it.
   */
  replace(cause: unknown): void {
    const damagedInode = this.#inode;
    this.close();
    const lock = KernelLock.tryAcquire(`${this.path}.lock`, LOCK_WAIT_MS);
    if (lock === undefined) throw cause;
    try {
      if (inodeOf(this.path) !== damagedInode || damagedInode === undefined) return;
      const movedTo = `${this.path}.damaged-${new Date().toISOString().replaceAll(":", "-")}`;
      // The log first: a new file must never meet the old one's.
      moveIfThere(`${this.path}-wal`, `${movedTo}-wal`);
      moveIfThere(`${this.path}-shm`, `${movedTo}-shm`);
      renameSync(this.path, movedTo);
      this.#pruneSetAside();
      this.#onSetAside(movedTo, cause);
    } finally {
      lock.release();
    }
  }

  /** Copies of damaged files that lie next to it, oldest first; none where nothing can be listed. */
  setAside(): string[] {
    const folder = dirname(this.path);
    const prefix = `${basename(this.path)}.damaged-`;
    try {
      return readdirSync(folder)
        .filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
        .toSorted()
        .map((name) => join(folder, name));
    } catch {
      return [];
    }
  }

  /** Bytes of the file and its write-ahead log; 0 before anything was written. */
  sizeBytes(): number {
    return fileSize(this.path) + fileSize(`${this.path}-wal`);
  }

  /** Idempotent; the next use opens it again. */
  close(): void {
    this.#db?.close();
    this.#db = undefined;
    this.#seriesIds = new Map();
  }

  #use<T>(busyTimeoutMs: number, work: (db: Database) => T): T {
    try {
      return work(this.#open(busyTimeoutMs));
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.replace(error);
      return work(this.#open(busyTimeoutMs));
    }
  }

  #open(busyTimeoutMs: number): Database {
    if (this.#db !== undefined && this.#inode !== inodeOf(this.path)) this.close();
    if (this.#db === undefined) {
      this.#inode = inodeOf(this.path);
      const db = Database.open(this.path, {
        migrations: MIGRATIONS,
        synchronous: "NORMAL",
        busyTimeoutMs,
      });
      db.raw.exec(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}`);
      db.raw.exec(`PRAGMA journal_size_limit = ${WAL_PAGES * 4_096}`);
      db.raw.function("merge_histograms", { deterministic: true }, (one, other) =>
        mergeEncodings(one as Uint8Array, other as Uint8Array),
      );
      this.#db = db;
      // What was there before counts: if it was replaced meanwhile, the next use opens anew.
      this.#inode ??= inodeOf(this.path);
    } else {
      this.#db.raw.exec(`PRAGMA busy_timeout = ${Math.floor(busyTimeoutMs)}`);
    }
    return this.#db;
  }

  #pruneSetAside(): void {
    for (const old of this.setAside().slice(0, -SET_ASIDE_KEPT)) {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${old}${suffix}`, { force: true });
    }
  }

  #writeCell(
    db: Database,
    upsert: StatementSync,
    cell: Cell,
    now: number,
    fresh: Map<string, number>,
  ): void {
    const series = this.#seriesId(db, cell, fresh);
    const row = {
      series,
      count: cell.count,
      sum: cell.sum,
      min: cell.min,
      max: cell.max,
      last: cell.last,
      lastAt: cell.lastAtMs,
      histogram: cell.histogram,
      now,
    };
    const finest = this.#options.tiers[0]?.resolutionMs ?? TOTAL_RESOLUTION_MS;
    upsert.run({ ...row, resolution: finest, start: cell.startMs });
    upsert.run({ ...row, resolution: TOTAL_RESOLUTION_MS, start: 0 });
  }

  #seriesId(db: Database, cell: Cell, fresh: Map<string, number>): number {
    const key = `${cell.kind}\n${cell.name}\n${cell.labels}`;
    const known = this.#seriesIds.get(key) ?? fresh.get(key);
    if (known !== undefined) return known;
    const find = db.raw.prepare("SELECT id FROM series WHERE kind = ? AND name = ? AND labels = ?");
    const found = find.get(cell.kind, cell.name, cell.labels) as { id: number } | undefined;
    let id = found?.id;
    if (id === undefined) {
      const { n } = db.raw.prepare("SELECT count(*) AS n FROM series").get() as { n: number };
      if (n >= this.#options.seriesMax && cell.name !== OVERFLOW_NAME) {
        const labels = cell.kind === "operation" ? OVERFLOW_NAME : "";
        return this.#seriesId(db, { ...cell, name: OVERFLOW_NAME, labels }, fresh);
      }
      const insert = db.raw.prepare("INSERT INTO series (kind, name, labels) VALUES (?, ?, ?)");
      id = Number(insert.run(cell.kind, cell.name, cell.labels).lastInsertRowid);
    }
    fresh.set(key, id);
    return id;
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof MetricsError) return error.code === "METRICS_DAMAGED";
  return error instanceof SqliteError && error.code === "SQLITE_CORRUPT";
}

/** Undefined when there is no file. */
function inodeOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
  } catch {
    // Whoever opens it learns why it cannot be looked at.
    return "unknown";
  }
}

function fileSize(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

function moveIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}
