import type { CallOptions } from "@holdfast/store";
import type { Journal } from "./journal.ts";
import type { StoreAccess } from "./store-access.ts";

/** A restored state is in the mirror already; the store's collections are still to change names. */
export interface PendingSwap {
  /** The collection that takes the name; undefined when there is to be none. */
  from: string | undefined;
  /** What the collection that has the name now is called from then on. */
  keptAs: string;
}

/**
 * Gives the store the names that a restore has decided on. Idempotent: after a crash, whoever is
 * next allowed to change the store finishes it. The caller holds the drain lease.
 */
export async function finishSwap(
  { journal, access }: { journal: Journal; access: StoreAccess },
  call: CallOptions,
): Promise<void> {
  const swap = journal.pendingSwap();
  if (swap === undefined) return;
  const { store, collection } = access;
  const { from, keptAs } = swap;
  const names = new Set((await store.listCollections(call)).map(({ name }) => name));
  const isToMove = from === undefined ? !names.has(keptAs) : names.has(from);
  if (isToMove && names.has(collection)) await store.renameCollection(collection, keptAs, call);
  if (isToMove && from !== undefined) await store.renameCollection(from, collection, call);
  journal.swapFinished();
}
