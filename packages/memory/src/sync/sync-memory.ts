import { type Clock, systemClock } from "@holdfast/core";
import type { VectorStore } from "@holdfast/store";
import { MEMORY_DEFAULTS } from "../memory-options.ts";
import { Journal } from "../journal.ts";
import { syncCollection, type SyncOptions, type SyncReport } from "./sync-collection.ts";

const CALL_LIMIT_MS = 60_000;

export interface SyncTarget {
  /** As of the memory that is to cover the collection. */
  stateDirectory: string;
  collection: string;
}

/**
 * Brings a collection that other programs fill into the mirror of a memory, so that degraded
 * recall, rebuild and backup cover it. Works beside the memory, without its embedder, and only
 * reads from the store; see {@link SyncOptions.vanished} for the one exception.
 * @throws StoreError `COLLECTION_NOT_FOUND` and any other; HoldfastError `SYNC_UNDER_WAY`;
 * MemoryError `OUTBOX_UNWRITABLE`; the signal's reason.
 */
export async function syncMemory(
  { stateDirectory, collection }: SyncTarget,
  { store, clock = systemClock }: { store: VectorStore; clock?: Clock },
  options: SyncOptions = {},
): Promise<SyncReport> {
  const journal = Journal.open(stateDirectory, collection, MEMORY_DEFAULTS.outbox, undefined);
  const { signal } = options;
  const call = { timeoutMs: CALL_LIMIT_MS, ...(signal === undefined ? {} : { signal }) };
  try {
    return await syncCollection(collection, options, { journal, store, clock }, call);
  } catch (error) {
    signal?.throwIfAborted();
    throw journal.translate(error);
  } finally {
    journal.close();
  }
}
