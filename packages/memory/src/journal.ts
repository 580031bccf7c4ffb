import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Database, Lease, SqliteError, translateSqliteError } from "@holdfast/sqlite";
import type { EmbedderIdentity, Metadata } from "@holdfast/store";
import { MemoryError } from "./memory-error.ts";
import type { SalvageStatus } from "./memory.ts";
import type { MemoryChanges, Scope } from "./memory-record.ts";
import { Mirror } from "./mirror.ts";
import { Outbox } from "./outbox.ts";
import { checksumOf, type MemoryContent } from "./record-codec.ts";
import { isCheckDue, markSuspect, salvageIfDamaged } from "./salvage.ts";
import { MIGRATIONS } from "./schema.ts";
import { Unsettled } from "./unsettled.ts";

/** Bounds; past them a write is refused (queued ones) or the oldest is dropped (stored ones). */
export interface OutboxBounds {
  /** Queued writes at most. Default 100,000. */
  recordsMax: number;
  /** Bytes of queued writes at most. Default 256 MiB. */
  bytesMax: number;
  /** Stored writes that are kept for replay. Default 100,000. */
  keptRecordsMax: number;
  /** Bytes of stored writes that are kept for replay. Default 64 MiB. */
  keptBytesMax: number;
}

/** A put before it has a revision. */
export interface Draft {
  id: string;
  text: string;
  metadata: Metadata;
  scope: Scope;
  tags: readonly string[];
  expiresAt: number | undefined;
}

export interface Accepted {
  id: string;
  revision: number;
  seq: number;
}

export interface AttemptState {
  /** Failures since the last success. */
  attempts: number;
  nextAttemptAt: number | null;
  lastError: string | null;
  answeredAt: number | null;
}

/** Called at the named points of the write path; a test ends the process there. */
export type Failpoint = (
  name: "before-commit" | "after-commit" | "before-send" | "after-apply" | "before-mark",
) => void;

/** A reader that takes longer than this only puts erasing off; it must not hold the caller up. */
const SCOUR_WAIT_MS = 250;

/** Everything one connection can do to the file. */
class Tables {
  readonly db: Database;
  readonly mirror: Mirror;
  readonly outbox: Outbox;
  readonly unsettled: Unsettled;
  readonly lease: Lease;

  constructor(db: Database, collection: number, writer: string) {
    this.db = db;
    this.mirror = new Mirror(db, collection, writer);
    this.outbox = new Outbox(db, collection);
    this.unsettled = new Unsettled(db, collection);
    this.lease = new Lease(db, `drain:${collection}`);
  }
}

/**
 * The file that keeps the promise: outbox and mirror, written in one transaction. What a caller is
 * told is committed with fsync; bookkeeping about the store is not, since losing it only means
 * applying again what is applied already.
 */
export class Journal {
  readonly path: string;
  /** Commits with fsync: what is promised. */
  readonly #accepting: Tables;
  /** Commits without: what can be found out again. */
  readonly working: Tables;
  readonly collection: number;
  readonly #bounds: OutboxBounds;
  readonly #failpoint: Failpoint | undefined;
  #mustScour = false;
  /** Which file it was when it was opened. */
  readonly #inode: number;

  constructor(
    directory: string,
    collectionName: string,
    bounds: OutboxBounds,
    failpoint: Failpoint | undefined,
  ) {
    this.path = join(directory, "memory.db");
    this.#bounds = bounds;
    this.#failpoint = failpoint;
    const open = (synchronous: "FULL" | "NORMAL"): Database =>
      Database.open(this.path, { migrations: MIGRATIONS, synchronous, secureDelete: true });
    const accepting = translating(() => open("FULL"));
    this.#inode = statSync(this.path).ino;
    try {
      const { collection, writer } = translating(() =>
        registerCollection(accepting, collectionName),
      );
      this.collection = collection;
      this.#accepting = new Tables(accepting, collection, writer);
      this.working = new Tables(
        translating(() => open("NORMAL")),
        collection,
        writer,
      );
    } catch (error) {
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

  /** Accepts puts, all or none; durable when this returns. @throws MemoryError */
  acceptPuts(drafts: readonly Draft[], now: number): Accepted[] {
    return this.#accept(drafts.length, () => drafts.map((draft) => this.#put(draft, now)));
  }

  /** Accepts changes to a memory. @throws MemoryError `MEMORY_NOT_FOUND` and as `acceptPuts`. */
  acceptChanges(id: string, changes: MemoryChanges, now: number): Accepted {
    const [accepted] = this.#accept(1, () => {
      const row = this.#accepting.mirror.find(id);
      if (row === undefined || (row.content.expiresAt ?? Number.POSITIVE_INFINITY) <= now) {
        throw new MemoryError(`No memory has the id ${JSON.stringify(id)}`, {
          code: "MEMORY_NOT_FOUND",
          hint: "List what is remembered with: holdfast memory list",
        });
      }
      return [this.#put({ id, ...changed(row.content, changes, now) }, now)];
    });
    return accepted as Accepted;
  }

  /**
   * Accepts forgetting; ids that are unknown, or forgotten already, are left out, unless `foreign`
   * says which revision of theirs the store holds: 0 for another program's record.
   */
  acceptForgets(
    ids: readonly string[],
    now: number,
    foreign: ReadonlyMap<string, number>,
  ): Accepted[] {
    const { mirror } = this.#accepting;
    return this.#accept(ids.length, () =>
      ids.flatMap((id) => {
        const theirs = foreign.get(id);
        if (mirror.find(id) === undefined && theirs === undefined) return [];
        return [this.#forget(id, now, theirs)];
      }),
    );
  }

  /**
   * Accepts forgetting what has expired, `most` at a time and as far as there is room: a full
   * outbox must not be kept from draining. Chosen inside, so that no lifetime that another process
   * has just prolonged is cut off. Returns how many.
   */
  acceptExpired(now: number, most: number): number {
    const { mirror, outbox } = this.#accepting;
    if (this.mirror.expiredIds(now, 1).length === 0) return 0;
    return this.#accept(0, () => {
      const { records, bytes } = outbox.load();
      let room = this.#bounds.bytesMax - bytes;
      return mirror
        .expiredIds(now, Math.max(0, Math.min(most, this.#bounds.recordsMax - records)))
        .flatMap((id) => {
          room -= Buffer.byteLength(id);
          return room < 0 ? [] : [this.#forget(id, now, undefined)];
        });
    }).length;
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
  scour(): void {
    this.#mustScour = !translating(() => this.#accepting.db.checkpoint(SCOUR_WAIT_MS));
  }

  /** Something that may not stay was deleted: the end of the run scours. */
  scourLater(): void {
    this.#mustScour = true;
  }

  scourIfDue(): void {
    if (this.#mustScour) this.scour();
  }

  pruneKept(): void {
    const { keptRecordsMax, keptBytesMax } = this.#bounds;
    // Looked at before a transaction is opened: every run that empties the outbox asks.
    if (this.outbox.surplus(keptRecordsMax, keptBytesMax) === 0) return;
    while (this.work(({ outbox }) => outbox.prune(keptRecordsMax, keptBytesMax)) > 0);
  }

  /** The store answered a call. */
  noteAnswer(now: number): void {
    this.working.db
      .prepare("UPDATE collection SET answered_at = ? WHERE collection = ?")
      .run(now, this.collection);
  }

  /** The store took a write; what it last refused is history. */
  noteApplied(now: number): void {
    this.working.db
      .prepare(
        `UPDATE collection SET answered_at = ?, attempts = 0, next_attempt_at = NULL,
           last_error = NULL WHERE collection = ?`,
      )
      .run(now, this.collection);
  }

  /** An attempt to apply failed; `nextAttemptAt` is when another may be made. */
  noteFailure(reason: string, nextAttemptAt: number): void {
    this.working.db
      .prepare(
        `UPDATE collection SET attempts = attempts + 1, next_attempt_at = ?, last_error = ?
         WHERE collection = ?`,
      )
      .run(nextAttemptAt, reason, this.collection);
  }

  attempts(): AttemptState {
    const row = this.working.db
      .prepare(
        `SELECT attempts, next_attempt_at AS nextAttemptAt, last_error AS lastError,
           answered_at AS answeredAt FROM collection WHERE collection = ?`,
      )
      .get(this.collection) as unknown as AttemptState;
    return { ...row };
  }

  /** Which making of the collection in the store is the valid one. */
  generation(): number {
    const row = this.working.db
      .prepare("SELECT generation FROM collection WHERE collection = ?")
      .get(this.collection) as { generation: number };
    return row.generation;
  }

  /**
   * Takes the right to change the store, inside {@link work}; undefined when another has it. One who
   * died with it may have been replacing the collection: then handles are void.
   */
  takeLease(now: number, durationMs: number): string | undefined {
    const { db, lease } = this.working;
    const grant = lease.take(now, durationMs);
    if (grant?.expiredToken !== undefined) this.#voidHandles(db);
    return grant?.token;
  }

  /** The collection in the store was replaced. */
  nextGeneration(): void {
    this.decide(({ db }) => this.#voidHandles(db));
  }

  #voidHandles(db: Database): void {
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

  close(): void {
    this.working.db.close();
    this.#accepting.db.close();
  }

  #accept(writes: number, body: () => Accepted[]): Accepted[] {
    const accepted = translating(() =>
      this.#accepting.db.transaction(() => {
        this.#requireInPlace();
        const result = body();
        if (writes > 0) this.#requireRoom();
        this.#failpoint?.("before-commit");
        return result;
      }),
    );
    this.#failpoint?.("after-commit");
    return accepted;
  }

  #put(draft: Draft, now: number): Accepted {
    const { mirror, outbox } = this.#accepting;
    const before = mirror.find(draft.id);
    if (before !== undefined && before.appliedRevision === before.revision) {
      outbox.keep(draft.id, before.revision, JSON.stringify(before.content), now);
    }
    const revision = (before?.revision ?? mirror.revisionOf(draft.id)) + 1;
    const content: MemoryContent = {
      text: draft.text,
      metadata: draft.metadata,
      scope: draft.scope,
      tags: [...new Set(draft.tags)].toSorted(),
      createdAt: before?.content.createdAt ?? now,
      updatedAt: now,
      expiresAt: draft.expiresAt,
    };
    mirror.put(draft.id, revision, content, checksumOf(content));
    const payload = JSON.stringify(content);
    const seq = outbox.append({
      id: draft.id,
      revision,
      operation: "put",
      payload,
      bytes: Buffer.byteLength(payload) + Buffer.byteLength(draft.id),
      now,
    });
    return { id: draft.id, revision, seq };
  }

  #forget(id: string, now: number, theirRevision: number | undefined): Accepted {
    const { mirror, outbox } = this.#accepting;
    const row = mirror.find(id);
    const revision = Math.max(mirror.revisionOf(id), theirRevision ?? 0) + 1;
    if (row !== undefined) mirror.drop(row);
    mirror.entomb(id, revision, now, row?.sentKeys ?? []);
    outbox.scrub(id);
    const seq = outbox.append({
      id,
      revision,
      operation: "forget",
      payload: null,
      bytes: Buffer.byteLength(id),
      now,
    });
    return { id, revision, seq };
  }

  /** A file that was set aside meanwhile must not accept anything more. */
  #requireInPlace(): void {
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new MemoryError(`The outbox was replaced while it was open: ${this.path}`, {
      code: "OUTBOX_CORRUPT",
      retryable: true,
      hint: "Nothing was accepted. Close the memory and open it again.",
    });
  }

  /** Looks at what would be queued; the transaction that queued it is undone if that is too much. */
  #requireRoom(): void {
    const { records, bytes } = this.#accepting.outbox.load();
    const { recordsMax, bytesMax } = this.#bounds;
    if (records <= recordsMax && bytes <= bytesMax) return;
    throw new MemoryError(
      `The outbox is full: with these, ${records} writes (${bytes} bytes) would wait for the store; ` +
        `the bounds are ${recordsMax} writes and ${bytesMax} bytes`,
      {
        code: "OUTBOX_FULL",
        retryable: true,
        hint: "Bring the store back (holdfast memory status says what is wrong), or raise outbox.records_max.",
      },
    );
  }
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

function changed(content: MemoryContent, changes: MemoryChanges, now: number): Omit<Draft, "id"> {
  const { ttlMs } = changes;
  const expiresAt =
    ttlMs === undefined ? content.expiresAt : ttlMs === null ? undefined : expiryOf(now, ttlMs);
  return {
    text: changes.text ?? content.text,
    metadata: changes.metadata ?? content.metadata,
    scope: content.scope,
    tags: changes.tags ?? content.tags,
    expiresAt,
  };
}

/** Wall-clock milliseconds, whole ones. */
export function expiryOf(now: number, ttlMs: number): number {
  return Math.ceil(now + ttlMs);
}

/** A fault of the file becomes one of the outbox, once. */
function translating<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translateFault(error);
  }
}

function translateFault(error: unknown): unknown {
  if (!(error instanceof SqliteError)) return error;
  if (error.code === "SQLITE_TOO_NEW") return error;
  const corrupt = error.code === "SQLITE_CORRUPT";
  if (corrupt) markSuspect(error.path);
  return new MemoryError(
    corrupt
      ? `The outbox is damaged: ${error.message}`
      : `The outbox cannot be written, so nothing was accepted: ${error.message}`,
    {
      code: corrupt ? "OUTBOX_CORRUPT" : "OUTBOX_UNWRITABLE",
      retryable: error.retryable,
      hint: corrupt
        ? "Open it again: it is then set aside, and a new one made of all that can be read."
        : (error.hint ?? "Check the disk."),
      cause: error,
    },
  );
}
