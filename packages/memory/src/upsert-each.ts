import type { CallOptions, VectorCollection, VectorRecord } from "@holdfast/store";
import { isRefusal } from "./applier.ts";

/**
 * Writes records, and singles out those that the store refuses for their own sake. Returns their
 * ids; all others are written.
 */
export async function upsertEach(
  records: readonly VectorRecord[],
  collection: VectorCollection,
  call: CallOptions,
): Promise<ReadonlySet<string>> {
  try {
    await collection.upsert(records, call);
    return new Set();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [only] = records;
    if (records.length === 1 && only !== undefined) return new Set([only.id]);
    const middle = Math.ceil(records.length / 2);
    const first = await upsertEach(records.slice(0, middle), collection, call);
    return new Set([...first, ...(await upsertEach(records.slice(middle), collection, call))]);
  }
}
