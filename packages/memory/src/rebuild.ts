import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type Clock, HoldfastError } from "@holdfast/core";
import {
  type CallOptions,
  StoreError,
  type StoredRecord,
  type VectorCollection,
  type VectorRecord,
  type VectorStore,
} from "@holdfast/store";
import { type Applier, isRefusal, type PendingPut } from "./applier.ts";
import { InFlight, together } from "./in-flight.ts";
import type { Journal } from "./journal.ts";
import type { Comparison, RebuildOptions, RebuildReport } from "./memory.ts";
import { MemoryError } from "./memory-error.ts";
import type { MirrorRow } from "./mirror-row.ts";
import { ReadBack } from "./read-back.ts";
import { checksumOf, decodeRecord, type MemoryContent } from "./record-codec.ts";
import type { StoreAccess } from "./store-access.ts";
import { type ReturnedOthers, returnOthers } from "./sync/return-others.ts";

const STAGING = "--rebuild-";
const KEPT = "--before-";
/** Chroma writes its index after so many changes: whoever reads in between makes it do more. */
const BATCH = 1_000;
/** Rows of the mirror that are read in one go. */
const PAGE = 100;
const LISTED_MAX = 20;

interface RebuildDeps {
  journal: Journal;
  access: StoreAccess;
  applier: Applier;
  clock: Clock;
}

/**
 * Makes the collection anew from the mirror, beside the old one; compares; and only then swaps by
 * renaming. The caller holds the drain lease. A crash at any point leaves the old collection, or
 * none and a mirror to rebuild from again.
 */
export async function rebuildCollection(
  name: string,
  options: RebuildOptions,
  deps: RebuildDeps,
  call: CallOptions & { signal: AbortSignal },
  requireLease: () => void,
): Promise<RebuildReport> {
  const { access, journal } = deps;
  const { store } = access;
  const embedder = await access.requireSameEmbedder();
  const old = await openIfThere(store, name, call);
  const form = old?.info ?? journal.form() ?? { embedder };
  const cutOff = await cutOffStagings(store, name, call);
  const staging = `${name}${STAGING}${randomUUID().slice(0, 8)}`;
  const fresh = await store.createCollection({ ...form, name: staging }, call);
  const readBack = new ReadBack(fresh, journal.mirror, call);
  // Cut off between its renames, an earlier rebuild has left others' records in its staging.
  const sources = old === undefined ? cutOff : [old];
  let comparison: Comparison;
  let salvaged: number;
  let rebuilt: number;
  let others: ReturnedOthers = { returned: 0, refused: [] };
  try {
    [rebuilt, salvaged] = await together(call.signal, [
      (signal) => fill(fresh, readBack, options, deps, { ...call, signal }),
      (signal) => salvage(sources, fresh, deps, { ...call, signal }),
    ]);
    if (old === undefined) others = await returnOthers(fresh, deps, call);
    comparison = await readBack.result();
    if (!comparison.equal) throw notEqual(name, comparison);
    // Whoever drains since has written into the old collection.
    requireLease();
  } catch (error) {
    await abandon(store, staging, error);
    throw error;
  }
  const keptAs = old === undefined ? undefined : `${name}${KEPT}${deps.clock.now()}`;
  try {
    if (keptAs !== undefined) await store.renameCollection(name, keptAs, call);
    await store.renameCollection(staging, name, call);
  } finally {
    // Even half done: a handle follows its collection to its new name.
    journal.nextGeneration();
  }
  for (const { info } of cutOff) await store.deleteCollection(info.name, call);
  const foreign = salvaged + others.returned;
  return { ...comparison, foreign, rebuilt, salvaged, ...others, keptAs };
}

/** Writes every memory of the mirror, embedding what never was; each batch is read back. */
async function fill(
  fresh: VectorCollection,
  readBack: ReadBack,
  options: RebuildOptions,
  deps: RebuildDeps,
  call: CallOptions & { signal: AbortSignal },
): Promise<number> {
  const { journal, applier, access } = deps;
  const total = journal.mirror.count();
  const writing = new InFlight();
  let done = 0;
  try {
    for await (const batch of batchesOf(journal, access.store.limits.batchRecordsMax)) {
      await applier.embed(batch, call.signal);
      await writing.start(async () => {
        done += await write(fresh, batch, deps, call);
        await readBack.begin(batch.map(({ row }) => row.id));
        options.onProgress?.(done, total);
      });
    }
    await writing.ended();
  } finally {
    await writing.settled();
  }
  return done;
}

/** What the store is to hold, so many at once; between pages whoever else waits has a turn. */
async function* batchesOf(journal: Journal, recordsMax: number): AsyncGenerator<PendingPut[]> {
  const size = Math.min(BATCH, recordsMax);
  const dead = new Map(journal.outbox.deadLetters().map(({ id, revision }) => [id, revision]));
  let batch: PendingPut[] = [];
  for (const page of journal.mirror.pages(PAGE)) {
    for (const row of page) {
      // A dead letter was refused once.
      const isDead = dead.get(row.id) === row.revision;
      const put = isDead ? before(row, journal) : asStored(row, journal);
      if (put !== undefined && batch.push(put) === size) {
        yield batch;
        batch = [];
      }
    }
    await setImmediate();
  }
  if (batch.length > 0) yield batch;
}

function asStored(row: MirrorRow, { mirror }: Journal): PendingPut {
  return { row, vector: mirror.vectorOf(row.memory) };
}

/** What the store held before a write that it refuses; undefined when it held nothing. */
function before(row: MirrorRow, { mirror, outbox }: Journal): PendingPut | undefined {
  const payload = outbox.payloadAt(row.id, row.appliedRevision);
  if (payload === undefined) return undefined;
  const content = JSON.parse(payload) as MemoryContent;
  return {
    row: { ...row, content, revision: row.appliedRevision, checksum: checksumOf(content) },
    vector: content.text === row.content.text ? mirror.vectorOf(row.memory) : undefined,
  };
}

/**
 * Writes a batch. A queued write that the store refuses is left to the drainer, which makes a dead
 * letter of it; what the store held before is written instead. Returns how many were written.
 */
async function write(
  fresh: VectorCollection,
  batch: readonly PendingPut[],
  deps: { journal: Journal; applier: Applier },
  call: CallOptions & { signal: AbortSignal },
): Promise<number> {
  const { journal, applier } = deps;
  try {
    await fresh.upsert(
      batch.map((put) => toRecord(put, journal)),
      call,
    );
    return batch.length;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      if (only.row.appliedRevision >= only.row.revision) throw error;
      const earlier = before(only.row, journal);
      if (earlier === undefined) return 0;
      await applier.embed([earlier], call.signal);
      return write(fresh, [earlier], deps, call);
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await write(fresh, batch.slice(0, middle), deps, call);
    return first + (await write(fresh, batch.slice(middle), deps, call));
  }
}

/** Carries over what only the old collections hold. @throws MemoryError `REBUILD_REFUSED`. */
async function salvage(
  sources: readonly VectorCollection[],
  fresh: VectorCollection,
  { journal, access }: RebuildDeps,
  call: CallOptions & { signal: AbortSignal },
): Promise<number> {
  const pageSize = Math.min(BATCH, access.store.limits.batchRecordsMax);
  let salvaged = 0;
  try {
    for (const old of sources) {
      for await (const page of old.scan({ pageSize, ...call })) {
        const ids = onlyTheirs(page, journal);
        if (ids.length === 0) continue;
        // Theirs alone: an index that is damaged elsewhere is no loss.
        const theirs = await old.get(ids, { embeddings: true, ...call });
        const incomplete = theirs.filter((record) => record.embedding === undefined);
        if (incomplete.length > 0) throw refused(incomplete.map((record) => record.id));
        await fresh.upsert(theirs.map(carryOver), call);
        salvaged += theirs.length;
      }
    }
  } catch (error) {
    if (error instanceof StoreError && error.code !== "STORE_ABORTED")
      throw refused(undefined, error);
    throw error;
  }
  return salvaged;
}

/** The ids that the mirror does not hold, and that were not forgotten. */
function onlyTheirs(page: readonly StoredRecord[], { mirror }: Journal): string[] {
  const ours = mirror.known(page.map(({ id }) => id));
  const theirs = page.filter((record) => {
    if (ours.has(record.id)) return false;
    const buried = mirror.tombstones.of(record.id);
    return buried === undefined || (decodeRecord(record)?.revision ?? 0) > buried.revision;
  });
  return theirs.map(({ id }) => id);
}

function carryOver(record: StoredRecord): VectorRecord {
  return {
    id: record.id,
    document: record.document,
    metadata: record.metadata,
    embedding: record.embedding as Float32Array,
  };
}

function toRecord({ row, vector }: PendingPut, { mirror }: Journal): VectorRecord {
  return {
    id: row.id,
    document: row.content.text,
    metadata: mirror.encode(row),
    embedding: vector as Float32Array,
  };
}

async function openIfThere(
  store: VectorStore,
  name: string,
  call: CallOptions & { signal: AbortSignal },
): Promise<VectorCollection | undefined> {
  try {
    return await store.openCollection(name, call);
  } catch (error) {
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") return undefined;
    throw error;
  }
}

/** What rebuilds that were cut off have left. */
async function cutOffStagings(
  store: VectorStore,
  name: string,
  call: CallOptions,
): Promise<VectorCollection[]> {
  const left: VectorCollection[] = [];
  for (const { name: found } of await store.listCollections(call)) {
    if (found.startsWith(name + STAGING)) left.push(await store.openCollection(found, call));
  }
  return left;
}

/** The failure that led here matters more than a staging collection that stays behind. */
async function abandon(store: VectorStore, staging: string, because: unknown): Promise<void> {
  try {
    await store.deleteCollection(staging);
  } catch (error) {
    if (error instanceof HoldfastError) return;
    throw new AggregateError([because, error], String(because), { cause: error });
  }
}

function refused(ids: readonly string[] | undefined, cause?: unknown): MemoryError {
  const which =
    ids === undefined
      ? "the old collection cannot be read to its end"
      : `${ids.length} records have no readable vector: ${ids.slice(0, LISTED_MAX).join(", ")}`;
  return new MemoryError(`Rebuilding would lose what other programs wrote: ${which}`, {
    code: "REBUILD_REFUSED",
    hint: "Nothing was changed. Salvage or remove those records first.",
    ...(cause === undefined ? {} : { cause }),
  });
}

function notEqual(name: string, { missing, different }: Comparison): MemoryError {
  const ids = [...missing, ...different].slice(0, LISTED_MAX).join(", ");
  return new MemoryError(
    `The rebuilt ${name} does not equal the mirror: ${missing.length} missing, ${different.length} different (${ids})`,
    { code: "REBUILD_REFUSED", hint: "Nothing was changed; the old collection is still in place." },
  );
}
