import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { wipeDeletedVectors } from "./wipe-deleted-vectors.ts";
import { wipeUnusedRows } from "./wipe-unused-rows.ts";

/** Chroma's own numbers of operations in its queue. */
const DELETE_OPERATION = 3;
const IDS_PER_STATEMENT = 500;

/**
 * Takes deleted records out of Chroma's files for good. Its queue still has their texts, metadata
 * and vectors; their words stay in the full-text index until it is merged; free pages keep what
 * stood in them; index files keep deleted vectors, and in reserved rows what its memory held. Call
 * it with the server stopped and the keeper's lock held.
 *
 * What is still in a collection, or has yet to be applied to it, stays there, also under one of
 * `ids`, with what the queue has of it.
 * @throws SQLite's errors; the file is then as it was.
 */
export function compactDirectory(dataDirectory: string, ids: readonly string[]): void {
  using database = new DatabaseSync(join(dataDirectory, "chroma.sqlite3"), { timeout: 5_000 });
  database.exec("PRAGMA secure_delete = ON");
  database.exec("BEGIN IMMEDIATE");
  try {
    for (let at = 0; at < ids.length; at += IDS_PER_STATEMENT)
      forgetInQueue(database, ids.slice(at, at + IDS_PER_STATEMENT));
    database.exec(
      "INSERT INTO embedding_fulltext_search (embedding_fulltext_search) VALUES ('optimize')",
    );
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
  database.exec("VACUUM");
  wipeDeletedVectors(dataDirectory, database, ids);
  wipeUnusedRows(dataDirectory);
}

/** The order of the queue stays whole, since indexes are replayed from it; what it says does not. */
function forgetInQueue(database: DatabaseSync, ids: readonly string[]): void {
  const marks = ids.map(() => "?").join(", ");
  database
    .prepare(
      `UPDATE embeddings_queue AS queue
       SET metadata = '{}', vector = CASE WHEN vector IS NULL THEN NULL ELSE zeroblob(length(vector)) END
       WHERE id IN (${marks}) AND operation <> ? AND NOT EXISTS
         (SELECT 1 FROM embeddings JOIN segments ON segments.id = embeddings.segment_id
          WHERE embedding_id = queue.id AND queue.topic LIKE '%/' || segments.collection)
       AND NOT EXISTS
         (SELECT 1 FROM segments JOIN max_seq_id ON max_seq_id.segment_id = segments.id
          WHERE scope = 'METADATA' AND queue.topic LIKE '%/' || segments.collection
            AND queue.seq_id > max_seq_id.seq_id)`,
    )
    .run(...ids, DELETE_OPERATION);
}
