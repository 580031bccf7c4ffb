import { type Clock, HoldfastError } from "@holdfast/core";
import { Lease } from "@holdfast/sqlite";
import {
  type CallOptions,
  type StoredRecord,
  StoreError,
  type VectorCollection,
  type VectorStore,
} from "@holdfast/store";
import { ForgottenIds } from "../backup/forgotten-ids.ts";
import type { Journal } from "../journal.ts";
import { decodeRecord } from "../record-codec.ts";
import type { Tables } from "../tables.ts";
import { settleVanished, type VanishedChoice, withoutOurs } from "./settle-vanished.ts";
import {
  countIn,
  beginAnew,
  noCounts,
  noteSync,
  type SyncCounts,
  type SyncState,
  syncStateOf,
} from "./sync-state.ts";

export interface SyncOptions {
  /**
   * Read every vector back and compare it, also beside a text and metadata that did not change.
   * Default false: vectors are read of records that are new or say something else.
   */
  vectors?: boolean;
  /**
   * What becomes of records that the store has lost since an earlier sync. `keep` (default): they
   * stay in the mirror and out of recall, for a later decision. `drop`: they are removed from it.
   * `restore`: they are written into the store again; the only thing that a sync ever writes there.
   */
  vanished?: VanishedChoice;
  /** Called after each page with the records looked at so far, and how many there were at first. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface SyncReport extends SyncCounts {
  /** Records of the collection that were looked at; ours among them. */
  scanned: number;
  /** Of them, written through this machine, whose mirror has them anyway. */
  ours: number;
  /** Of other programs, in the mirror now. */
  held: number;
  /** Lost by the store and still kept here. */
  keptVanished: number;
  dropped: number;
  restored: number;
  /** Lost records that the store does not take back; they are still kept here. */
  refused: readonly string[];
  /** A sync that was cut off was taken up. */
  resumed: boolean;
}

interface SyncDeps {
  journal: Journal;
  store: VectorStore;
  clock: Clock;
}

const PAGE = 500;
const LEASE_MS = 120_000;

/**
 * Brings what other programs have put into a collection into the mirror: text, metadata, vectors.
 * Reads only, without our embedder, and holds no write up. What was forgotten here stays so. Cut
 * off at any point, the next one goes on, without reading any vector twice.
 * @throws StoreError; HoldfastError `SYNC_UNDER_WAY`.
 */
export async function syncCollection(
  name: string,
  options: SyncOptions,
  deps: SyncDeps,
  call: CallOptions,
): Promise<SyncReport> {
  const { journal, clock } = deps;
  const lease = new Lease(journal.working.db, `sync:${journal.collection}`);
  const grant = lease.tryAcquire(clock.monotonic(), LEASE_MS);
  if (grant === undefined) throw underWay(name);
  try {
    const collection = await openSynced(name, deps, call);
    const sync = new CollectionSync(collection, options, deps, call, () => {
      if (!lease.renew(grant.token, clock.monotonic(), LEASE_MS)) throw underWay(name);
    });
    return await sync.run();
  } finally {
    lease.release(grant.token);
  }
}

async function openSynced(
  name: string,
  { store, journal }: SyncDeps,
  call: CallOptions,
): Promise<VectorCollection> {
  try {
    const collection = await store.openCollection(name, call);
    journal.noteForm(collection.info);
    return collection;
  } catch (error) {
    const isLost = error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND";
    const { held } = journal.working.others.count();
    if (!isLost || held === 0) throw error;
    throw new StoreError(
      `The store has lost the collection ${name}, with ${held} records of others`,
      {
        code: "COLLECTION_NOT_FOUND",
        hint: "Make it anew, as the last sync saw it, with: holdfast memory rebuild",
        cause: error,
      },
    );
  }
}

class CollectionSync {
  readonly #collection: VectorCollection;
  readonly #options: SyncOptions;
  readonly #deps: SyncDeps;
  readonly #call: CallOptions;
  readonly #renew: () => void;
  readonly #state: SyncState;
  readonly #resumed: boolean;
  readonly #forgotten: ForgottenIds;
  #scanned = 0;
  #ours = 0;

  constructor(
    collection: VectorCollection,
    options: SyncOptions,
    deps: SyncDeps,
    call: CallOptions,
    renew: () => void,
  ) {
    this.#collection = collection;
    this.#options = options;
    this.#deps = deps;
    this.#call = call;
    this.#renew = renew;
    const { journal, clock } = deps;
    const last = syncStateOf(journal);
    this.#resumed = last !== undefined && last.doneAt === undefined;
    this.#state =
      last !== undefined && this.#resumed
        ? last
        : {
            run: (last?.run ?? 0) + 1,
            begunAt: clock.now(),
            doneAt: undefined,
            counts: noCounts(),
          };
    if (this.#resumed) beginAnew(this.#state.counts, "forgotten");
    this.#forgotten = new ForgottenIds(journal.working.db, journal.collection);
  }

  async run(): Promise<SyncReport> {
    const { journal, clock } = this.#deps;
    await this.#scan();
    await this.#findVanished();
    const { vanished: choice = "keep" } = this.#options;
    const settled = await settleVanished(choice, this.#collection, {
      ...this.#deps,
      call: this.#call,
      renew: this.#renew,
      run: this.#state.run,
    });
    const state = { ...this.#state, doneAt: clock.now() };
    journal.decide(({ db }) => noteSync(db, journal.collection, state));
    const { held, vanished } = journal.working.others.count();
    return {
      ...this.#state.counts,
      scanned: this.#scanned,
      ours: this.#ours,
      held,
      keptVanished: vanished,
      ...settled,
      resumed: this.#resumed,
    };
  }

  async #scan(): Promise<void> {
    const { others } = this.#deps.journal.working;
    const { held, vanished } = others.count();
    // Nothing is known yet: then every vector is to be read anyway.
    const embeddings = this.#options.vectors === true || held + vanished === 0;
    const total = await this.#collection.count(this.#call);
    const scan = { pageSize: PAGE, embeddings, ...this.#call };
    for await (const page of this.#collection.scan(scan)) {
      this.#call.signal?.throwIfAborted();
      this.#renew();
      const whole = embeddings ? page : await this.#withVectors(page);
      this.#keep(whole);
      this.#scanned += page.length;
      this.#options.onProgress?.(this.#scanned, Math.max(total, this.#scanned));
    }
  }

  /** Reads the vectors of those records whose kept one may be another. */
  async #withVectors(page: StoredRecord[]): Promise<StoredRecord[]> {
    const { others, mirror } = this.#deps.journal.working;
    const ours = mirror.known(page.map(({ id }) => id));
    const stale = page.filter((record) => !ours.has(record.id) && others.isStale(record));
    if (stale.length === 0) return page;
    const ids = stale.map(({ id }) => id);
    const read = await this.#collection.get(ids, { embeddings: true, ...this.#call });
    const whole = new Map(read.map((record) => [record.id, record]));
    // What is gone since the page was read is left to the next sync.
    const asked = new Set(ids);
    return page.flatMap((record) => {
      if (!asked.has(record.id)) return [record];
      const found = whole.get(record.id);
      return found === undefined ? [] : [found];
    });
  }

  #keep(page: readonly StoredRecord[]): void {
    const { journal } = this.#deps;
    const { run, counts } = this.#state;
    journal.work((tables) => {
      const ours = tables.mirror.known(page.map(({ id }) => id));
      const isAnyForgotten = this.#forgotten.any();
      for (const record of page) {
        const { id } = record;
        if (ours.has(id)) {
          this.#ours += 1;
          tables.others.drop(id);
        } else if (isAnyForgotten && this.#isForgotten(record, tables)) {
          tables.others.drop(id);
          countIn(counts, "forgotten", id);
        } else {
          const sighting = tables.others.see(record, run);
          if (sighting !== "unchanged") countIn(counts, sighting, id);
        }
      }
      noteSync(tables.db, journal.collection, this.#state);
    });
  }

  /** Without a revision nobody can say that it was written after it was forgotten. */
  #isForgotten(record: StoredRecord, { mirror }: Tables): boolean {
    const revision = decodeRecord(record)?.revision ?? -1;
    if ((mirror.tombstones.of(record.id)?.revision ?? -1) > revision) return true;
    return this.#forgotten.isForgottenSince(record.id, revision, Number.MAX_SAFE_INTEGER);
  }

  /** What the scan did not meet is asked for by id: a scan beside writers may miss a record. */
  async #findVanished(): Promise<void> {
    const { journal, clock } = this.#deps;
    const { run, counts } = this.#state;
    for (let after = 0; ;) {
      const unseen = journal.working.others.unseen(run, after, PAGE);
      const last = unseen.at(-1);
      if (last === undefined) return;
      after = last.memory;
      this.#renew();
      const ids = unseen.map(({ id }) => id);
      const found = await this.#collection.get(ids, { embeddings: true, ...this.#call });
      this.#keep(found);
      const there = new Set(found.map(({ id }) => id));
      const gone = withoutOurs(
        unseen.filter(({ id }) => !there.has(id)),
        journal,
      );
      journal.work(({ others, db }) => {
        for (const { memory, id } of gone) {
          others.markVanished(memory, clock.now());
          countIn(counts, "vanished", id);
        }
        noteSync(db, journal.collection, this.#state);
      });
    }
  }
}

function underWay(name: string): HoldfastError {
  return new HoldfastError(`Another process is syncing ${name}`, {
    code: "SYNC_UNDER_WAY",
    retryable: true,
    hint: "Wait for it; what it has brought is kept.",
  });
}
