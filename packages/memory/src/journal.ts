import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Database, translateSqliteError } from "@holdfast/sqlite";
import type { CollectionForm, CollectionInfo, EmbedderIdentity } from "@holdfast/store";
import { Acceptance, type Failpoint, type OutboxBounds } from "./acceptance.ts";
import { Attempts } from "./attempts.ts";
import type { PendingSwap } from "./collection-swap.ts";
import { translateFault, translating } from "./journal-fault.ts";
import { MemoryError } from "./memory-error.ts";
import type { SalvageStatus } from "./memory.ts";
import type { Mirror } from "./mirror.ts";
import type { Outbox } from "./outbox.ts";
import { isCheckDue, salvageIfDamaged } from "./salvage.ts";
import { MIGRATIONS } from "./schema.ts";
import { Tables } from "./tables.ts";

/** Parts of a restore that outlive the process. */
export type RestorePart = "staged" | "swap" | "previous";

/** A reader that takes longer than this only puts erasing off; it must not hold the caller up. */
const SCOUR_WAIT_MS = 250;

/**
 * The file that keeps the promise: outbox and mirror, written in one transaction. What a caller is
 * told is committed with fsync; bookkeeping about the store is not, since losing it only means
 * applying again what is applied already.
 */
export class Journal {
  readonly path: string;
  readonly acceptance: Acceptance;
  readonly attempts: Attempts;
  /** Commits with fsync: what is promised. */
  readonly #accepting: Tables;
  /** Commits without: what can be found out again. */
  readonly working: Tables;
  readonly collection: number;
  /** Names this file as a writer of the collection. */
  readonly writer: string;
  readonly #bounds: OutboxBounds;
  /** How long the next scouring waits for readers, in milliseconds; undefined when none is due. */
  #scourWaitMs: number | undefined;

  constructor(
    directory: string,
    collectionName: string,
    bounds: OutboxBounds,
    failpoint: Failpoint | undefined,
  ) {
    this.path = join(directory, "memory.db");
    this.#bounds = bounds;
    // Whoever left it may have died before it had erased what was forgotten. Mostly nobody did, and
    // it is in use: then nothing waits.
    const left = statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    this.#scourWaitMs = left > 0 ? 0 : undefined;
    const open = (synchronous: "FULL" | "NORMAL"): Database =>
      Database.open(this.path, { migrations: MIGRATIONS, synchronous, secureDelete: true });
    const accepting = translating(() => open("FULL"));
    let bookkeeping: Database | undefined;
    try {
      const { collection, writer } = translating(() =>
        registerCollection(accepting, collectionName),
      );
      this.collection = collection;
      this.writer = writer;
      this.#accepting = new Tables(accepting, collection, writer);
      bookkeeping = translating(() => open("NORMAL"));
      this.working = new Tables(bookkeeping, collection, writer);
      const { path, working } = this;
      this.attempts = new Attempts(working.db, collection);
      this.acceptance = new Acceptance({
        tables: this.#accepting,
        working,
        path,
        bounds,
        failpoint,
      });
    } catch (error) {
      bookkeeping?.close();
      accepting.close();
      throw error;
    }
  }

  get mirror(): Mirror {
    return this.working.mirror;
  }

  get outbox(): Outbox {
    return this.working.outbox;
  }

  /**
   * Opens the journal. A damaged file is set aside, and a new one made of what can be read.
   * @throws MemoryError `OUTBOX_UNWRITABLE`.
   */
  static open(...[directory, ...rest]: ConstructorParameters<typeof Journal>): Journal {
    const path = join(directory, "memory.db");
    const now = Date.now();
    const salvage = (): void => translating(() => salvageIfDamaged(path, now));
    if (isCheckDue(path, now)) salvage();
    try {
      return new Journal(directory, ...rest);
    } catch (error) {
      if (!(error instanceof MemoryError) || error.code !== "OUTBOX_CORRUPT") throw error;
      salvage();
      return new Journal(directory, ...rest);
    }
  }

  /** A fault of the file that a read ran into, as one of the outbox. */
  translate(error: unknown): unknown {
    return translateFault(translateSqliteError(error, this.path));
  }

  /** Reads what must agree, as it was at one moment. */
  view<T>(body: (tables: Tables) => T): T {
    return translating(() => this.working.db.transaction(() => body(this.working), "DEFERRED"));
  }

  /** One transaction of bookkeeping, without fsync. */
  work<T>(body: (tables: Tables) => T): T {
    return translating(() => this.working.db.transaction(() => body(this.working)));
  }

  /** One transaction whose effect must survive a power cut. */
  decide<T>(body: (tables: Tables) => T): T {
    return translating(() => this.#accepting.db.transaction(() => body(this.#accepting)));
  }

  /** Empties the WAL, so that what was deleted is gone from it too; later, if a reader is in the way. */
  scour(waitMs: number = SCOUR_WAIT_MS): void {
    const isDone = translating(() => this.#accepting.db.checkpoint(waitMs));
    this.#scourWaitMs = isDone ? undefined : waitMs;
  }

  /** As `scour`, of what is accepted: that stands, though the disk lets it be erased only later. */
  scourAccepted(): void {
    try {
      this.scour();
    } catch (error) {
      if (!isRefused(error)) throw error;
      process.emitWarning(`What was forgotten is not erased yet: ${String(error.cause)}`);
      this.scourLater();
    }
  }

  /** Something that may not stay was deleted: the end of the run scours. */
  scourLater(): void {
    this.#scourWaitMs = SCOUR_WAIT_MS;
  }

  scourIfDue(): void {
    const waitMs = this.#scourWaitMs;
    if (waitMs === undefined) return;
    try {
      this.scour(waitMs);
    } catch (error) {
      // What is not known to be due may wait until the disk takes it.
      if (waitMs > 0 || !isRefused(error)) throw error;
    }
  }

  pruneKept(): void {
    const { keptRecordsMax, keptBytesMax } = this.#bounds;
    // Looked at before a transaction is opened: every run that empties the outbox asks.
    if (this.outbox.surplus(keptRecordsMax, keptBytesMax) === 0) return;
    while (this.work(({ outbox }) => outbox.prune(keptRecordsMax, keptBytesMax)) > 0);
  }

  /** Which making of the collection in the store is the valid one. */
  generation(): number {
    const { db } = this.working;
    const find = (): unknown =>
      db.prepare("SELECT generation FROM collection WHERE collection = ?").get(this.collection);
    return (translating(() => db.run(find)) as { generation: number }).generation;
  }

  /**
   * Takes the right to change the store from `now`, a monotonic time, inside {@link work}; undefined
   * when another has it. One who died with it may have been replacing the collection: then handles are void.
   */
  takeLease(now: number, durationMs: number): string | undefined {
    const { db, lease } = this.working;
    const grant = lease.take(now, durationMs);
    if (grant?.expiredToken !== undefined) this.voidHandles(db);
    return grant?.token;
  }

  /** The swap that a restore has begun and nobody has finished yet. */
  pendingSwap(): PendingSwap | undefined {
    return this.restoreState("swap") as PendingSwap | undefined;
  }

  swapFinished(): void {
    this.decide(({ db }) => {
      this.setRestoreState(db, "swap", undefined);
      this.voidHandles(db);
    });
  }

  restoreState(part: RestorePart): unknown {
    const row = this.working.db
      .prepare("SELECT detail FROM restore_state WHERE collection = ? AND part = ?")
      .get(this.collection, part) as { detail: string } | undefined;
    return row && (JSON.parse(row.detail) as unknown);
  }

  /** Inside a transaction of `db`; `undefined` ends the part. */
  setRestoreState(db: Database, part: RestorePart, detail: unknown): void {
    if (detail === undefined) {
      db.prepare("DELETE FROM restore_state WHERE collection = ? AND part = ?").run(
        this.collection,
        part,
      );
      return;
    }
    db.prepare("INSERT OR REPLACE INTO restore_state VALUES (?, ?, ?)").run(
      this.collection,
      part,
      JSON.stringify(detail),
    );
  }

  /** The collection in the store was replaced. */
  nextGeneration(): void {
    this.decide(({ db }) => this.voidHandles(db));
  }

  /** Inside a transaction of `db`: whatever was opened in the store before is another collection. */
  voidHandles(db: Database): void {
    db.prepare("UPDATE collection SET generation = generation + 1 WHERE collection = ?").run(
      this.collection,
    );
  }

  /** The last salvage of this file; undefined when there was none. */
  salvaged(): SalvageStatus | undefined {
    const row = this.working.db
      .prepare("SELECT at, file, lost FROM salvaged ORDER BY at DESC LIMIT 1")
      .get() as { at: number; file: string; lost: string } | undefined;
    return row && { at: row.at, file: row.file, lost: JSON.parse(row.lost) as string[] };
  }

  /** Whether memories that only the store still has are to be taken back. */
  mustAdopt(): boolean {
    const row = this.working.db
      .prepare("SELECT adopt FROM collection WHERE collection = ?")
      .get(this.collection) as { adopt: number };
    return row.adopt === 1;
  }

  /** All of the store was looked through; `found` are the ids that came back. */
  noteAdopted(found: ReadonlySet<string>): void {
    this.decide(({ db }) => {
      db.prepare("UPDATE collection SET adopt = 0 WHERE collection = ?").run(this.collection);
      const { lost = [] } = this.salvaged() ?? {};
      db.prepare("UPDATE salvaged SET lost = ?").run(
        JSON.stringify(lost.filter((id) => !found.has(id))),
      );
    });
  }

  embedder(): EmbedderIdentity | undefined {
    const row = this.working.db
      .prepare("SELECT embedder FROM collection WHERE collection = ?")
      .get(this.collection) as { embedder: string | null };
    return row.embedder === null ? undefined : (JSON.parse(row.embedder) as EmbedderIdentity);
  }

  recordEmbedder(identity: EmbedderIdentity): void {
    this.decide(({ db }) =>
      db
        .prepare("UPDATE collection SET embedder = ? WHERE collection = ?")
        .run(JSON.stringify(identity), this.collection),
    );
  }

  /** What the collection in the store was made with, when it was last opened to be written or kept. */
  form(): CollectionForm | undefined {
    const row = this.working.db
      .prepare("SELECT form FROM collection WHERE collection = ?")
      .get(this.collection) as { form: string | null };
    return row.form === null ? undefined : (JSON.parse(row.form) as CollectionForm);
  }

  /** Once it is lost, nobody else could say. */
  noteForm({ embedder, distance, settings }: CollectionInfo): void {
    const form = JSON.stringify({ embedder, distance, settings });
    // Not ?1 twice: Node 22.16 takes numbered parameters for named ones.
    this.working.db
      .prepare("UPDATE collection SET form = ? WHERE collection = ? AND form IS NOT ?")
      .run(form, this.collection, form);
  }

  close(): void {
    this.working.db.close();
    this.#accepting.db.close();
  }
}

/** Whether the disk did not take what was to be written. */
function isRefused(error: unknown): error is MemoryError {
  return error instanceof MemoryError && error.code === "OUTBOX_UNWRITABLE";
}

function registerCollection(db: Database, name: string): { collection: number; writer: string } {
  return db.run(() => {
    const find = db.prepare("SELECT collection, writer FROM collection WHERE name = ?");
    const known = find.get(name) as { collection: number; writer: string } | undefined;
    if (known !== undefined) return known;
    // After a salvage the store may hold memories of a collection whose name was lost.
    db.prepare(
      `INSERT OR IGNORE INTO collection (name, writer, adopt)
       VALUES (?, ?, EXISTS (SELECT 1 FROM salvaged))`,
    ).run(name, randomUUID());
    return find.get(name) as { collection: number; writer: string };
  });
}
