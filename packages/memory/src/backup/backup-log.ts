import type { Database } from "@holdfast/sqlite";
import type { Journal } from "../journal.ts";
import type { BackupStatus } from "../memory.ts";
import type { PreviousState } from "./swap-in.ts";

/** A backup that this memory has made and verified. Times are wall-clock milliseconds. */
export interface LoggedBackup {
  id: string;
  /** Its manifest. */
  path: string;
  madeAt: number;
  memories: number;
  /** Of manifest and data. */
  bytes: number;
  /** Why not everything is in it; null when it is. */
  partial: string | null;
  verifiedAt: number;
  /** When it was last restored into scratch, successfully, and how long that took. */
  drilledAt: number | null;
  drillMs: number | null;
}

const KEPT = 1_000;

/** What `status` and the next incremental backup know of earlier ones. */
export class BackupLog {
  readonly #db: Database;
  readonly #collection: number;

  constructor(db: Database, collection: number) {
    this.#db = db;
    this.#collection = collection;
  }

  add(backup: Omit<LoggedBackup, "drilledAt" | "drillMs">): void {
    const { id, path, madeAt, memories, bytes, partial, verifiedAt } = backup;
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO backup
           (id, collection, path, made_at, memories, bytes, partial, verified_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(id, this.#collection, path, madeAt, memories, bytes, partial, verifiedAt);
    this.#db
      .prepare(
        `DELETE FROM backup WHERE collection = ? AND id NOT IN (SELECT id FROM backup
           WHERE collection = ? ORDER BY made_at DESC LIMIT ${KEPT})`,
      )
      .run(this.#collection, this.#collection);
  }

  noteVerified(id: string, at: number): void {
    this.#db.prepare("UPDATE backup SET verified_at = ? WHERE id = ?").run(at, id);
  }

  noteDrill(id: string, at: number, tookMs: number): void {
    this.#db
      .prepare("UPDATE backup SET drilled_at = ?, drill_ms = ? WHERE id = ?")
      .run(at, Math.round(tookMs), id);
  }

  remove(id: string): void {
    this.#db.prepare("DELETE FROM backup WHERE id = ?").run(id);
  }

  /** Newest first. */
  list(): LoggedBackup[] {
    const rows = this.#db
      .prepare(
        `SELECT id, path, made_at AS madeAt, memories, bytes, partial,
           verified_at AS verifiedAt, drilled_at AS drilledAt, drill_ms AS drillMs
         FROM backup WHERE collection = ? ORDER BY made_at DESC, rowid DESC`,
      )
      .all(this.#collection);
    return rows.map((row) => ({ ...row })) as unknown as LoggedBackup[];
  }
}

export function backupStatusOf(journal: Journal): BackupStatus {
  const logged = new BackupLog(journal.working.db, journal.collection).list();
  const [drilled] = logged
    .filter(({ drilledAt }) => drilledAt !== null)
    .toSorted((a, b) => (b.drilledAt ?? 0) - (a.drilledAt ?? 0));
  const previous = journal.restoreState("previous") as PreviousState | undefined;
  return {
    last: logged[0],
    lastDrill: drilled && {
      path: drilled.path,
      at: drilled.drilledAt ?? 0,
      tookMs: drilled.drillMs ?? 0,
    },
    undoable: previous?.at,
  };
}
