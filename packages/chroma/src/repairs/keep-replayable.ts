import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Makes Chroma keep its queue, or purge it again, from its next start on. With the whole queue
 * every index can be built anew, and a store takes about 80 % more disk. Call it with the server
 * stopped. Returns false when there is no database yet to say it to. Idempotent.
 * @throws SQLite errors.
 */
export function setReplayable(dataDirectory: string, keep: boolean): boolean {
  const file = join(dataDirectory, "chroma.sqlite3");
  if (!existsSync(file)) return false;
  using database = new DatabaseSync(file, { timeout: 5_000 });
  // A first start that was cut off leaves a file without tables; the next one makes them.
  const isMade = database
    .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'embeddings_queue_config'")
    .get();
  if (isMade === undefined) return false;
  const row = database
    .prepare("SELECT config_json_str AS text FROM embeddings_queue_config")
    .get() as { text: string } | undefined;
  const config = {
    ...DEFAULT_CONFIG,
    ...(row === undefined ? {} : (JSON.parse(row.text) as object)),
  };
  if (row !== undefined && config.automatically_purge === !keep) return true;
  const text = JSON.stringify({ ...config, automatically_purge: !keep });
  database
    .prepare(
      `INSERT INTO embeddings_queue_config (id, config_json_str) VALUES (1, ?)
       ON CONFLICT (id) DO UPDATE SET config_json_str = excluded.config_json_str`,
    )
    .run(text);
  return true;
}

const DEFAULT_CONFIG = {
  automatically_purge: true,
  _type: "EmbeddingsQueueConfigurationInternal",
};
