import type { CallOptions, VectorCollection, VectorRecord } from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { StoreAccess } from "../store-access.ts";
import { upsertEach } from "../upsert-each.ts";
import type { OtherRecord } from "./others-mirror.ts";

const PAGE = 500;

export interface ReturnedOthers {
  returned: number;
  /** Ids of records that this store does not take; the mirror keeps them. */
  refused: string[];
}

/**
 * Writes into a fresh collection what other programs had put into the one that was lost, as the
 * last sync saw it, except what is there already.
 */
export async function returnOthers(
  fresh: VectorCollection,
  { journal, access }: { journal: Journal; access: StoreAccess },
  call: CallOptions,
): Promise<ReturnedOthers> {
  const { mirror, others } = journal.working;
  const size = Math.min(PAGE, access.store.limits.batchRecordsMax);
  const done: ReturnedOthers = { returned: 0, refused: [] };
  for (let page = others.page(0, size); page.length > 0;) {
    const theirs = page.filter(({ id }) => mirror.find(id) === undefined);
    const ids = theirs.map(({ id }) => id);
    const there = new Set((await fresh.get(ids, call)).map(({ id }) => id));
    const missing = theirs.filter(({ id }) => !there.has(id)).flatMap(asRecord);
    const refused = await upsertEach(missing, fresh, call);
    done.returned += missing.length - refused.size;
    done.refused.push(...refused);
    page = others.page(page.at(-1)?.memory ?? 0, size);
  }
  return done;
}

/** Nothing for a record whose vector the store did not have either. */
export function asRecord({ id, document, metadata, vector }: OtherRecord): VectorRecord[] {
  if (vector === undefined) return [];
  return [{ id, document, metadata, embedding: vector }];
}
