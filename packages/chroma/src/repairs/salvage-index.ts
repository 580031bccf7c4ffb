import type { DatabaseSync } from "node:sqlite";
import { IndexFiles } from "./index-files.ts";
import { isNear, labelsOf, type QueuedVectors } from "./index-labels.ts";
import { RepairError } from "./repair-error.ts";
import type { VectorSegment } from "./vector-segments.ts";

export interface SalvagedIndex {
  segment: string;
  collection: string;
  tenant: string;
  database: string;
  /** Records whose vectors came out of the damaged index. */
  fromIndex: number;
  /** Records whose vectors the queue still held. */
  fromQueue: number;
  /** How rows were given their names; `queue`: no row was needed. */
  labels: "pickle" | "rank" | "queue";
  /** Records that were given up since their vectors are nowhere; always none unless accepted. */
  lost: readonly string[];
}

const LISTED_MAX = 20;
const ADD = 0;
const UPDATE = 1;
const DELETE = 3;

/**
 * Gives a server what it needs to build a torn index anew: each vector that only the index held
 * goes back into the queue, in front of what is queued, and the index counts as never persisted.
 * The server then replays everything when the collection is first used. One transaction; the
 * index's folder is only read, and must not be where the server looks for it afterwards.
 *
 * @param folder the damaged index.
 * @param database of a copy of the data directory, writable, no server on it.
 * @param options.acceptLoss give up records whose vectors are nowhere, text and all: a server
 *   answers nothing about a page of records of which one has no vector. Default false.
 * @throws RepairError `SALVAGE_IMPOSSIBLE`, naming those records.
 */
export function salvageIndex(
  folder: string,
  database: DatabaseSync,
  segment: VectorSegment,
  options: { acceptLoss?: boolean } = {},
): SalvagedIndex {
  const { dimension } = segment;
  if (dimension === undefined) throw impossible(segment, [], "its dimension is not known");
  const queue = readQueue(database, segment);
  const ids = appliedIds(database, segment);
  if (ids.every((id) => queue.inserted.has(id) || queue.deleted.has(id))) {
    // A queue that was never purged: nothing is wanted of the index.
    replayQueue(database, segment, () => undefined);
    const fromQueue = ids.length;
    return { ...nameOf(segment), fromIndex: 0, fromQueue, labels: "queue", lost: [] };
  }
  using files = new IndexFiles(folder, { ...segment, dimension });
  const labels = labelsOf(folder, files, database, segment, queue.untouched);
  const replay: { id: string; row: number }[] = [];
  const lost: string[] = [];
  let fromQueue = 0;
  for (const id of ids) {
    const row = labels.rowOf.get(id);
    const vector = row === undefined ? undefined : files.vectorAt(row);
    const queued = queue.untouched.get(id);
    const sameQueued = vector !== undefined && queued !== undefined && isNear(vector, queued);
    if (row !== undefined && vector !== undefined && !sameQueued) replay.push({ id, row });
    else if (sameQueued || queue.inserted.has(id)) fromQueue += 1;
    else if (!queue.deleted.has(id)) lost.push(id);
  }
  if (lost.length > 0 && options.acceptLoss !== true) {
    throw impossible(segment, lost, "their vectors are nowhere");
  }
  replayQueue(database, segment, () => {
    requeue(database, segment, replay, (row) => files.vectorAt(row) as Float32Array);
    removeRecords(database, segment, lost);
  });
  return { ...nameOf(segment), fromIndex: replay.length, fromQueue, labels: labels.by, lost };
}

/** The index counts as never persisted: the server replays all that the queue holds. */
function replayQueue(database: DatabaseSync, { segment }: VectorSegment, refill: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    refill();
    database.prepare("DELETE FROM max_seq_id WHERE segment_id = ?").run(segment);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function nameOf({
  segment,
  collection,
  tenant,
  database,
}: VectorSegment): Pick<SalvagedIndex, "segment" | "collection" | "tenant" | "database"> {
  return { segment, collection, tenant, database };
}

function removeRecords(
  database: DatabaseSync,
  { metadataSegment }: VectorSegment,
  ids: readonly string[],
): void {
  const find = database.prepare(
    "SELECT id FROM embeddings WHERE segment_id = ? AND embedding_id = ?",
  );
  for (const id of ids) {
    const { id: row } = find.get(metadataSegment, id) as { id: number };
    database.prepare("DELETE FROM embedding_fulltext_search WHERE rowid = ?").run(row);
    database.prepare("DELETE FROM embedding_metadata WHERE id = ?").run(row);
    database.prepare("DELETE FROM embeddings WHERE id = ?").run(row);
  }
}

interface Queue {
  /** Ids whose only queued operation brings a vector: what the index holds of them equals it. */
  untouched: QueuedVectors;
  /** Ids that the queue alone brings into being. */
  inserted: ReadonlySet<string>;
  deleted: ReadonlySet<string>;
}

interface QueueRow {
  id: string;
  operation: number;
  vector: Uint8Array | null;
  encoding: string | null;
}

function readQueue(database: DatabaseSync, { collectionId }: VectorSegment): Queue {
  const untouched = new Map<string, Float32Array>();
  const inserted = new Set<string>();
  const deleted = new Set<string>();
  const seen = new Set<string>();
  const rows = database
    .prepare(
      `SELECT id, operation, vector, encoding FROM embeddings_queue
       WHERE topic LIKE '%/' || ? ORDER BY seq_id`,
    )
    .iterate(collectionId) as Iterable<QueueRow>;
  for (const { id, operation, vector, encoding } of rows) {
    const brings = vector !== null && encoding === "FLOAT32" && operation !== DELETE;
    if (brings && operation !== UPDATE) inserted.add(id);
    if (operation === DELETE) {
      deleted.add(id);
      inserted.delete(id);
    } else deleted.delete(id);
    if (brings && !seen.has(id)) untouched.set(id, floatsOf(vector));
    else untouched.delete(id);
    seen.add(id);
  }
  return { untouched, inserted, deleted };
}

/** Records as the catalogue knows them, in the order in which they came. */
function appliedIds(database: DatabaseSync, { metadataSegment }: VectorSegment): string[] {
  const rows = database
    .prepare(
      "SELECT embedding_id AS id FROM embeddings WHERE segment_id = ? ORDER BY embeddings.id",
    )
    .all(metadataSegment) as { id: string }[];
  return rows.map(({ id }) => id);
}

function requeue(
  database: DatabaseSync,
  segment: VectorSegment,
  replay: readonly { id: string; row: number }[],
  vectorOf: (row: number) => Float32Array,
): void {
  const { topic, seqs } = freePlaces(database, segment, replay.length);
  const insert = database.prepare(
    `INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata)
     VALUES (?, ${ADD}, ?, ?, ?, 'FLOAT32', '{}')`,
  );
  replay.forEach(({ id, row }, index) => {
    const vector = vectorOf(row);
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    insert.run(seqs[index] as number, topic, id, bytes);
  });
}

/**
 * Numbers in front of the collection's queue that nobody uses: those of the operations that
 * brought the records, which were purged when the index was persisted.
 */
function freePlaces(
  database: DatabaseSync,
  segment: VectorSegment,
  count: number,
): { topic: string; seqs: number[] } {
  const { first, topic } = database
    .prepare(
      `SELECT min(seq_id) AS first, min(topic) AS topic FROM embeddings_queue
       WHERE topic LIKE '%/' || ?`,
    )
    .get(segment.collectionId) as { first: number | null; topic: string | null };
  // What is already applied to texts and metadata is not applied to them again.
  const before = Math.min(first ?? Number.MAX_SAFE_INTEGER, segment.applied + 1);
  const used = new Set(
    (
      database
        .prepare("SELECT seq_id AS seq FROM embeddings_queue WHERE seq_id < ?")
        .all(before) as {
        seq: number;
      }[]
    ).map(({ seq }) => seq),
  );
  const seqs: number[] = [];
  for (let seq = before - 1; seq >= 1 && seqs.length < count; seq -= 1) {
    if (!used.has(seq)) seqs.push(seq);
  }
  if (seqs.length < count) {
    throw impossible(segment, [], `its queue has room for ${seqs.length} of ${count} records`);
  }
  return {
    topic: topic ?? `persistent://default/default/${segment.collectionId}`,
    seqs: seqs.toReversed(),
  };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function impossible(
  { collection }: VectorSegment,
  lost: readonly string[],
  why: string,
): RepairError {
  const more = lost.length > LISTED_MAX ? ` and ${lost.length - LISTED_MAX} more` : "";
  const named = lost.length > 0 ? ` (${lost.slice(0, LISTED_MAX).join(", ")}${more})` : "";
  return new RepairError(
    `The index of ${collection} cannot be salvaged whole: ${why}${named}. Nothing was changed`,
    {
      code: "SALVAGE_IMPOSSIBLE",
      hint: "Restore a backup (holdfast memory restore), or embed those texts again.",
      lost,
    },
  );
}
