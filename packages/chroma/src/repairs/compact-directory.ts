import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { wipeUnusedRows } from "./wipe-unused-rows.ts";

/** Chroma's own numbers of operations in its queue. */
const DELETE_OPERATION = 3;
const IDS_PER_STATEMENT = 500;

/**
 * Takes the texts and metadata of deleted records out of Chroma's SQLite for good: its queue still
 * says what was once written, the words stay in the full-text index until it is merged, and free
 * pages keep what stood in them; and what its memory left in index files. Call it with the server stopped and the keeper's lock held.
 *
 * What is still in the collection stays, also under one of `ids`; vectors that Chroma has written
 * to its index files stay there, under no name, until the collection is made anew.
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
  wipeUnusedRows(dataDirectory);
}

/** The order of the queue stays whole, since indexes are replayed from it; what it says does not. */
function forgetInQueue(database: DatabaseSync, ids: readonly string[]): void {
  const marks = ids.map(() => "?").join(", ");
  database
    .prepare(
      `UPDATE embeddings_queue SET metadata = '{}'
       WHERE id IN (${marks}) AND operation <> ? AND id NOT IN (SELECT embedding_id FROM embeddings)`,
    )
    .run(...ids, DELETE_OPERATION);
}
