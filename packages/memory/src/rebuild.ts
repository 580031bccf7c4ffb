import { randomUUID } from "node:crypto";
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
import { compareWithMirror, rowsOf } from "./compare.ts";
import type { Journal } from "./journal.ts";
import type { Comparison, RebuildOptions, RebuildReport } from "./memory.ts";
import { MemoryError } from "./memory-error.ts";
import type { MirrorRow } from "./mirror.ts";
import { checksumOf, decodeRecord, type MemoryContent } from "./record-codec.ts";
import type { StoreAccess } from "./store-access.ts";
import { embedderFor, returnOthers } from "./sync/return-others.ts";

const STAGING = "--rebuild-";
const KEPT = "--before-";
const BATCH = 500;
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
  const embedder = embedderFor(journal, await access.requireSameEmbedder());
  const old = await openIfThere(store, name, call);
  const cutOff = await cutOffStagings(store, name, call);
  const staging = `${name}${STAGING}${randomUUID().slice(0, 8)}`;
  const fresh = await store.createCollection({ name: staging, embedder }, call);
  let comparison: Comparison;
  let salvaged: number;
  let rebuilt: number;
  let returned = 0;
  try {
    rebuilt = await fill(fresh, options, deps, call);
    // Cut off between its renames, an earlier rebuild has left others' records in its staging.
    const sources = old === undefined ? cutOff : [old];
    salvaged = 0;
    for (const source of sources) salvaged += await salvage(source, fresh, deps, call);
    if (old === undefined) returned = await returnOthers(fresh, journal, call);
    comparison = await compareWithMirror(fresh, journal.mirror, call);
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
  return { ...comparison, rebuilt, salvaged, returned, keptAs };
}

/** Writes every memory of the mirror, embedding what never was. */
async function fill(
  fresh: VectorCollection,
  options: RebuildOptions,
  { journal, applier, access }: RebuildDeps,
  call: CallOptions & { signal: AbortSignal },
): Promise<number> {
  const { mirror } = journal;
  const total = mirror.count();
  const size = Math.min(BATCH, access.store.limits.batchRecordsMax);
  let done = 0;
  let batch: PendingPut[] = [];
  const flush = async (): Promise<void> => {
    await applier.embed(batch, call.signal);
    done += await write(fresh, batch, { journal, applier }, call);
    batch = [];
    options.onProgress?.(done, total);
  };
  for (const row of rowsOf(mirror)) {
    const put = asStored(row, journal);
    if (put === undefined) continue;
    batch.push(put);
    if (batch.length >= size) await flush();
  }
  if (batch.length > 0) await flush();
  return done;
}

function asStored(row: MirrorRow, journal: Journal): PendingPut | undefined {
  const { mirror } = journal;
  // A dead letter was refused once.
  if (mirror.record(row.id)?.durability === "dead") return before(row, journal);
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

/** Carries over what only the old collection holds. @throws MemoryError `REBUILD_REFUSED`. */
async function salvage(
  old: VectorCollection,
  fresh: VectorCollection,
  { journal }: RebuildDeps,
  call: CallOptions & { signal: AbortSignal },
): Promise<number> {
  let salvaged = 0;
  try {
    for await (const page of old.scan({ embeddings: true, pageSize: BATCH, ...call })) {
      const theirs = page.filter((record) => isOnlyTheirs(record, journal));
      if (theirs.length === 0) continue;
      const incomplete = theirs.filter((record) => record.embedding === undefined);
      if (incomplete.length > 0) throw refused(incomplete.map((record) => record.id));
      await fresh.upsert(theirs.map(carryOver), call);
      salvaged += theirs.length;
    }
  } catch (error) {
    if (error instanceof StoreError) throw refused(undefined, error);
    throw error;
  }
  return salvaged;
}

function isOnlyTheirs(record: StoredRecord, { mirror }: Journal): boolean {
  if (mirror.find(record.id) !== undefined) return false;
  const buried = mirror.tombstoneOf(record.id);
  return buried === undefined || (decodeRecord(record)?.revision ?? 0) > buried.revision;
}

function carryOver(record: StoredRecord): VectorRecord {
  return {
    id: record.id,
    document: record.document ?? "",
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
