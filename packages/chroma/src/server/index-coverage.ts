import type { DatabaseSync } from "node:sqlite";
import { idsOfPickle } from "../repairs/index-labels.ts";

/**
 * Records of a collection that no vector is known of: neither the persisted index names them nor
 * does the queue bring them. A server counts them, and fails on every read that would show their
 * vectors. Undefined when the index does not say whom it names.
 */
export function idsWithoutVector(
  folder: string,
  database: DatabaseSync,
  collection: { id: string; ids: ReadonlySet<string> },
  isPersisted: boolean,
): string[] | undefined {
  const named = idsOfPickle(folder);
  if (named === undefined && isPersisted) return undefined;
  const queued = database
    .prepare(
      `SELECT DISTINCT id FROM embeddings_queue
       WHERE topic LIKE '%/' || ? AND operation <> 3`,
    )
    .all(collection.id) as { id: string }[];
  const brought = new Set(queued.map(({ id }) => id));
  return [...collection.ids].filter((id) => named?.has(id) !== true && !brought.has(id));
}
