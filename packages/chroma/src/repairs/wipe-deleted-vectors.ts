import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { tornIndex } from "../server/inspect-index.ts";
import { IndexFiles } from "./index-files.ts";
import { idsOfPickle } from "./index-labels.ts";
import { type VectorSegment, vectorSegments } from "./vector-segments.ts";

/**
 * Overwrites the vectors of deleted records in Chroma's index files, which only mark them as
 * deleted: those that no name leads to any more, and those of `ids` whose deletion is still in the
 * queue. Searches go on through such rows, so each takes on the vector of a neighbour that is still
 * there, and zeros where it has none. Call it with the server stopped. A torn index is left alone.
 */
export function wipeDeletedVectors(
  dataDirectory: string,
  database: DatabaseSync,
  ids: readonly string[],
): void {
  for (const segment of vectorSegments(database)) {
    const { dimension } = segment;
    const folder = join(dataDirectory, segment.segment);
    const named = idsOfPickle(folder);
    if (named === undefined || dimension === undefined) continue;
    if (tornIndex(folder, segment.persisted !== undefined) !== undefined) continue;
    for (const id of ids) if (!isHeld(database, segment, id)) named.delete(id);
    using files = new IndexFiles(folder, { ...segment, dimension });
    wipe(folder, files, new Set(named.values()));
  }
}

function isHeld(database: DatabaseSync, { metadataSegment }: VectorSegment, id: string): boolean {
  const find = database.prepare(
    "SELECT 1 FROM embeddings WHERE segment_id = ? AND embedding_id = ?",
  );
  return find.get(metadataSegment, id) !== undefined;
}

function wipe(folder: string, files: IndexFiles, labels: ReadonlySet<number>): void {
  const live = new Set<number>();
  const dead: number[] = [];
  for (const { row, label } of files.scan()) {
    if (row >= (files.filled ?? 0)) break;
    if (labels.has(label)) live.add(row);
    else dead.push(row);
  }
  if (dead.length === 0) return;
  for (const { name, at, bytes } of files.parts) {
    const descriptor = openSync(join(folder, name), "r+");
    try {
      for (const row of dead) {
        const content = Buffer.alloc(bytes);
        const near = files.neighboursOf(row).find((other) => live.has(other));
        if (near !== undefined) readSync(descriptor, content, 0, bytes, at(near));
        writeSync(descriptor, content, 0, bytes, at(row));
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}
