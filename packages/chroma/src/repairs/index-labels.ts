import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { PickleError, type PickleValue, readPickle } from "../server/pickle.ts";
import type { IndexFiles } from "./index-files.ts";
import { RepairError } from "./repair-error.ts";
import type { VectorSegment } from "./vector-segments.ts";

/** Which row of the index belongs to which id, and how that is known. */
export interface IndexLabels {
  rowOf: ReadonlyMap<string, number>;
  by: "pickle" | "rank";
}

/** Ids with one operation in the queue, and the vector that it carries. */
export type QueuedVectors = ReadonlyMap<string, Float32Array>;

const TOLERANCE = 1e-5;

/**
 * Maps ids to rows through the pickle, or, when that cannot be read, by rank: Chroma numbers
 * records in the order in which they came, in the index and in SQLite alike. The queue still holds
 * vectors that the index has too, and rank is believed only when every one of them is where it
 * should be.
 * @throws RepairError `SALVAGE_IMPOSSIBLE` when the order is not proved.
 */
export function labelsOf(
  folder: string,
  files: IndexFiles,
  database: DatabaseSync,
  segment: VectorSegment,
  queued: QueuedVectors | "proved before",
): IndexLabels {
  const rows = [...files.scan()].filter(({ label }) => label > 0);
  const byPickle = idsOfPickle(folder);
  if (byPickle !== undefined) {
    // The first row of a label: what lies behind the filled rows is anything.
    const rowOfLabel = new Map(rows.toReversed().map(({ label, row }) => [label, row]));
    const rowOf = new Map<string, number>();
    for (const [id, label] of byPickle) {
      const row = rowOfLabel.get(label);
      if (row !== undefined) rowOf.set(id, row);
    }
    return { rowOf, by: "pickle" };
  }
  const live = rows
    .filter(({ row, deleted }) => row < (files.filled ?? files.rows) && !deleted)
    .toSorted((a, b) => a.label - b.label);
  const ids = idsInOrder(database, segment);
  const unsure = whyUnsure(database, segment, live.length);
  if (unsure !== undefined) throw unproved(segment, unsure);
  const rowOf = new Map<string, number>();
  live.forEach(({ row }, rank) => {
    const id = ids[rank];
    if (id !== undefined) rowOf.set(id, row);
  });
  if (queued === "proved before") return { rowOf, by: "rank" };
  let proofs = 0;
  for (const [id, vector] of queued) {
    const row = rowOf.get(id);
    if (row === undefined) continue;
    const found = files.vectorAt(row);
    // Killed while it wrote, the index may lack the last rows; those are queued.
    if (found === undefined) rowOf.delete(id);
    else if (!isNear(found, vector)) throw unproved(segment, `${id} is not where its rank says`);
    else proofs += 1;
  }
  if (proofs === 0) throw unproved(segment, "the queue holds nothing that the index has too");
  return { rowOf, by: "rank" };
}

/** Whether two vectors are the same, but for Chroma's normalising and its single precision. */
export function isNear(left: Float32Array, right: Float32Array): boolean {
  if (left.length !== right.length) return false;
  const scale = Math.max(Math.hypot(...left), Math.hypot(...right)) || 1;
  return left.every((value, i) => Math.abs(value - (right[i] as number)) <= TOLERANCE * scale);
}

/** `id_to_label` of the pickle; undefined when it is missing or cannot be read. */
export function idsOfPickle(folder: string): Map<string, number> | undefined {
  let root: PickleValue;
  try {
    root = readPickle(readFileSync(join(folder, "index_metadata.pickle")));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing || error instanceof PickleError) return undefined;
    throw error;
  }
  const labels = root instanceof Map ? root.get("id_to_label") : undefined;
  if (!(labels instanceof Map)) return undefined;
  const found = new Map<string, number>();
  for (const [id, label] of labels) {
    if (typeof id === "string" && typeof label === "number") found.set(id, label);
  }
  return found;
}

function idsInOrder(database: DatabaseSync, { metadataSegment }: VectorSegment): string[] {
  const rows = database
    .prepare(
      "SELECT embedding_id AS id FROM embeddings WHERE segment_id = ? ORDER BY embeddings.id",
    )
    .all(metadataSegment) as { id: string }[];
  return rows.map(({ id }) => id);
}

/** Rank holds as long as nothing left the order since the index was persisted. */
function whyUnsure(
  database: DatabaseSync,
  { collectionId, persisted }: VectorSegment,
  rows: number,
): string | undefined {
  if (rows === 0) return "the index has no rows";
  const { deletes } = database
    .prepare(
      `SELECT count(*) AS deletes FROM embeddings_queue
       WHERE topic LIKE '%/' || ? AND operation = 3 AND seq_id > ?`,
    )
    .get(collectionId, persisted ?? 0) as { deletes: number };
  return deletes > 0 ? "records were deleted since the index was persisted" : undefined;
}

function unproved({ collection }: VectorSegment, why: string): RepairError {
  return new RepairError(
    `The names of the index's rows are lost, and their order is not proved for ${collection}: ${why}`,
    {
      code: "SALVAGE_IMPOSSIBLE",
      hint: "Restore a backup (holdfast memory restore), or embed the texts again.",
    },
  );
}
