import type { DatabaseSync } from "node:sqlite";
import { SqliteError } from "./sqlite-error.ts";

/**
 * Brings a database to `migrations.length` by `PRAGMA user_version`, each step in one transaction;
 * processes that open the file at once apply each step once.
 * @throws SqliteError `SQLITE_TOO_NEW` for a file that a newer release wrote.
 */
export function migrate(raw: DatabaseSync, migrations: readonly string[], path: string): void {
  while (version(raw) < migrations.length) {
    raw.exec("BEGIN IMMEDIATE");
    try {
      const next = migrations[version(raw)];
      if (next !== undefined) {
        const target = version(raw) + 1;
        raw.exec(next);
        raw.exec(`PRAGMA user_version = ${target}`);
      }
      raw.exec("COMMIT");
    } catch (error) {
      if (raw.isTransaction) raw.exec("ROLLBACK");
      throw error;
    }
  }
  const found = version(raw);
  if (found > migrations.length) {
    throw new SqliteError(`${path} has format ${found}; this release reads ${migrations.length}`, {
      code: "SQLITE_TOO_NEW",
      path,
      hint: "Update Holdfast: a newer release has written this file.",
    });
  }
}

function version(raw: DatabaseSync): number {
  return (raw.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}
