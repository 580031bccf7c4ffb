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
import type { Applier, PendingPut } from "./applier.ts";
import { compareWithMirror, rowsOf } from "./compare.ts";
import type { Journal } from "./journal.ts";
import type { Comparison, RebuildOptions, RebuildReport } from "./memory.ts";
import { MemoryError } from "./memory-error.ts";
import { decodeRecord } from "./record-codec.ts";
import type { StoreAccess } from "./store-access.ts";

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
): Promise<RebuildReport> {
  const { access, journal } = deps;
  const { store } = access;
  const embedder = await access.requireSameEmbedder();
  const old = await openIfThere(store, name, call);
  await removeStaging(store, name, call);
  const staging = `${name}${STAGING}${randomUUID().slice(0, 8)}`;
  const fresh = await store.createCollection({ name: staging, embedder }, call);
  let comparison: Comparison;
  let salvaged: number;
  let rebuilt: number;
  try {
    rebuilt = await fill(fresh, options, deps, call);
    salvaged = old === undefined ? 0 : await salvage(old, fresh, deps, call);
    comparison = await compareWithMirror(fresh, journal.mirror, call);
    if (!comparison.equal) throw notEqual(name, comparison);
  } catch (error) {
    await abandon(store, staging, error);
    throw error;
  }
  const keptAs = old === undefined ? undefined : `${name}${KEPT}${deps.clock.now()}`;
  if (keptAs !== undefined) await store.renameCollection(name, keptAs, call);
  await store.renameCollection(staging, name, call);
  journal.nextGeneration();
  return { ...comparison, rebuilt, salvaged, keptAs };
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
    await fresh.upsert(
      batch.map((put) => toRecord(put, journal)),
      call,
    );
    done += batch.length;
    batch = [];
    options.onProgress?.(done, total);
  };
  for (const row of rowsOf(mirror)) {
    // A dead letter was refused once; it stays with the dead letters.
    if (mirror.record(row.id)?.durability === "dead") continue;
    batch.push({ row, vector: mirror.vectorOf(row.memory) });
    if (batch.length >= size) await flush();
  }
  if (batch.length > 0) await flush();
  return done;
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

/** Removes what a rebuild that was cut off has left. */
async function removeStaging(store: VectorStore, name: string, call: CallOptions): Promise<void> {
  for (const { name: found } of await store.listCollections(call)) {
    if (found.startsWith(name + STAGING)) await store.deleteCollection(found, call);
  }
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
