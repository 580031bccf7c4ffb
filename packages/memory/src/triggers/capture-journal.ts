import { statSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@holdfast/sqlite";
import { Acceptance, type Draft, expiryOf, type OutboxBounds } from "../acceptance.ts";
import { matchText } from "../full-text.ts";
import { translating } from "../journal-fault.ts";
import type { Filter, MemoryRecord, NewMemory, Scope } from "../memory-record.ts";
import { MIGRATIONS } from "../schema.ts";
import { Tables } from "../tables.ts";
import { validateNewMemory } from "../validate.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface CaptureJournalOptions {
  stateDirectory: string;
  collection: string;
  /** The outbox's own bounds; captures take half of it at most, and leave the rest to writes. */
  outbox: OutboxBounds;
  /** How long to wait for another process's write, in milliseconds. Default 1000. */
  busyTimeoutMs?: number;
  /** What says the same again within so many milliseconds is counted, not added. Default 1 h; 0: off. */
  mergeWindowMs?: number;
  /** By category. Default: no limits. */
  limits?: Readonly<Record<string, RateLimit>>;
}

export const CAPTURE_DEFAULTS: { busyTimeoutMs: number; mergeWindowMs: number } = {
  busyTimeoutMs: 1_000,
  mergeWindowMs: 3_600_000,
};

/** `limited`: by a rate or a cooldown. `full`: half of the outbox already waits for the store. */
export type CaptureResult =
  | { result: "captured" | "merged"; id: string }
  | { result: "limited" | "full" };

/** What this machine remembers; the store was not asked. */
export type Recalled = Pick<
  MemoryRecord,
  "id" | "text" | "tags" | "scope" | "metadata" | "createdAt"
>;

const OUTBOX_SHARE = 0.5;
const MINUTE_MS = 60_000;

/**
 * The outbox and the mirror for one short moment: one connection, no check of the file, and no wait
 * for the disk but where it begins a WAL.
 * What it captured survives the death of any process, but not a power cut. It creates nothing: where
 * no memory is, there is nothing to capture into.
 */
export class CaptureJournal implements Disposable {
  readonly #db: Database;
  readonly #collection: number;
  readonly #tables: Tables;
  readonly #acceptance: Acceptance;
  readonly #options: CaptureJournalOptions;

  private constructor(db: Database, place: Place, options: CaptureJournalOptions) {
    this.#db = db;
    this.#collection = place.collection;
    this.#tables = new Tables(db, place.collection, place.writer);
    this.#options = options;
    this.#acceptance = new Acceptance({
      tables: this.#tables,
      working: this.#tables,
      path: db.path,
      bounds: options.outbox,
      failpoint: undefined,
    });
  }

  /** Undefined when nothing was remembered here yet. @throws MemoryError `OUTBOX_UNWRITABLE`, `OUTBOX_CORRUPT`. */
  static open(options: CaptureJournalOptions): CaptureJournal | undefined {
    const path = join(options.stateDirectory, "memory.db");
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
    return translating(() => {
      const db = Database.open(path, {
        migrations: MIGRATIONS,
        synchronous: "NORMAL",
        secureDelete: true,
        checkpointOnClose: false,
        busyTimeoutMs: options.busyTimeoutMs ?? CAPTURE_DEFAULTS.busyTimeoutMs,
      });
      try {
        const place = db.run(() => findCollection(db, options.collection));
        if (place !== undefined) return new CaptureJournal(db, place, options);
      } catch (error) {
        db.close();
        throw error;
      }
      db.close();
      return undefined;
    });
  }

  /**
   * Journals a memory, or counts it with one that said the same.
   * @throws MemoryError as `Memory.add`.
   */
  add(memory: NewMemory, now: number): CaptureResult {
    validateNewMemory(memory);
    let result: CaptureResult = { result: "full" };
    this.#acceptance.putsOf(({ outbox, mirror }) => {
      const { records, bytes } = outbox.load();
      const { recordsMax, bytesMax } = this.#options.outbox;
      if (records >= recordsMax * OUTBOX_SHARE || bytes >= bytesMax * OUTBOX_SHARE) return [];
      const category = String(memory.metadata?.["category"] ?? "");
      if (!this.#isWithinLimits(category, now)) {
        result = { result: "limited" };
        return [];
      }
      const { id, before } = this.#placeOf(memory, now);
      result = { result: before === undefined ? "captured" : "merged", id };
      const counted =
        before === undefined ? undefined : mirror.find(before)?.content.metadata["count"];
      const count = typeof counted === "number" ? counted + 1 : 2;
      return [draftOf(memory, id, now, before === undefined ? undefined : count)];
    }, now);
    return result;
  }

  /** Memories that share words with `query`, the nearest first. */
  recall(query: string, filter: Filter, limit: number, now: number): Recalled[] {
    return translating(() =>
      this.#db.run(() =>
        matchText(this.#db, this.#collection, query, filter, { limit, now }).map(({ row }) => ({
          id: row.id,
          ...row.content,
        })),
      ),
    );
  }

  /** The newest memories, the newest first. */
  recent(filter: Filter, limit: number, now: number): Recalled[] {
    return translating(() => this.#db.run(() => this.#tables.mirror.select(filter, now, limit)));
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Under which id a memory goes: that of one that said the same within the window, `before`, or one
   * that says when the window began, so that processes agree on it without asking each other.
   */
  #placeOf(memory: NewMemory, now: number): { id: string; before: string | undefined } {
    const windowMs = this.#options.mergeWindowMs ?? CAPTURE_DEFAULTS.mergeWindowMs;
    if (windowMs === 0) return { id: memory.id ?? newId(), before: undefined };
    const print = fingerprintOf(memory);
    const window = Math.floor(now / windowMs);
    for (const id of [idOf(print, window), idOf(print, window - 1)]) {
      const row = this.#tables.mirror.find(id);
      if (row !== undefined && now - row.content.createdAt < windowMs) return { id, before: id };
    }
    return { id: idOf(print, window), before: undefined };
  }

  #isWithinLimits(category: string, now: number): boolean {
    const limit = this.#options.limits?.[category];
    if (limit === undefined) return true;
    const { perMinute = Number.POSITIVE_INFINITY, cooldownMs = 0 } = limit;
    if (cooldownMs > 0 && this.#countWithin(category, cooldownMs, now, 1) > 0) return false;
    if (perMinute === Number.POSITIVE_INFINITY) return true;
    return this.#countWithin(category, MINUTE_MS, now, perMinute) < perMinute;
  }

  /** What is of later than now was noted before the clock was set back: that limits nothing. */
  #countWithin(category: string, windowMs: number, now: number, enough: number): number {
    const row = this.#db
      .prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM memory
           WHERE collection = ? AND created_at > ? AND created_at <= ?
             AND EXISTS (SELECT 1 FROM tag WHERE tag.tag = ? AND tag.memory = memory.memory)
           LIMIT ?)`,
      )
      .get(this.#collection, now - windowMs, now, category, enough) as { n: number };
    return row.n;
  }
}

interface Place {
  collection: number;
  writer: string;
}

function findCollection(db: Database, name: string): Place | undefined {
  return db.prepare("SELECT collection, writer FROM collection WHERE name = ?").get(name) as
    | Place
    | undefined;
}

const idOf = (print: string, window: number): string => `${print}-${window.toString(36)}`;

const newId = (): string => crypto.randomUUID();

function draftOf(memory: NewMemory, id: string, now: number, count: number | undefined): Draft {
  return {
    id,
    text: memory.text,
    metadata: { ...memory.metadata, ...(count === undefined ? {} : { count }) },
    scope: (memory.scope ?? {}) satisfies Scope,
    tags: memory.tags ?? [],
    expiresAt: memory.ttlMs === undefined ? undefined : expiryOf(now, memory.ttlMs),
  };
}
