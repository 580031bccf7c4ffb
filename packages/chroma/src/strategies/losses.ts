import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { idsOfPickle } from "../repairs/index-labels.ts";
import type { Finding, Inspection } from "../server/inspect-data-directory.ts";
import { type ChromaRecoveryDeps, holdsOthers } from "./recovery-ports.ts";

export interface Losses {
  /** `collection/id` of what the mirror could not bring back, as far as the directory says. */
  lost: readonly string[];
  /** Whether the directory says everything. */
  sure: boolean;
}

/** What would be gone from the store if it were made anew from the mirror alone. */
export function lossesOf(
  { memory, isOwnCollection }: ChromaRecoveryDeps,
  dataDirectory: string,
  findings: readonly Finding[],
  collections: Inspection["collections"],
): Losses {
  const own = memory.status().collection;
  const isCatalogueLost = findings.some(({ kind }) => kind === "catalogue-lost");
  if (collections !== undefined && !isCatalogueLost) {
    const lost = collections
      .filter(({ name }) => !isOwnCollection(name))
      .flatMap(({ name, ids }) =>
        (name === own ? memory.unmirrored(ids) : [...ids]).map((id) => `${name}/${id}`),
      );
    return { lost, sure: true };
  }
  // The indexes still name their records; which collection those were in, only SQLite knew.
  const lost = memory.unmirrored(idsInIndexes(dataDirectory)).map((id) => `?/${id}`);
  if (memory.status().mirrored === 0 && !holdsOthers(memory))
    return { lost: [...lost, "?/every record"], sure: false };
  // With SQLite gone there is nothing else in the directory that could be lost.
  if (isCatalogueLost) return { lost, sure: true };
  const others = collectionNames(dataDirectory)?.filter(
    (name) => name !== own && !isOwnCollection(name),
  );
  return {
    lost: [...lost, ...(others ?? []).map((name) => `${name}/every record`)],
    sure: others !== undefined,
  };
}

function idsInIndexes(dataDirectory: string): string[] {
  return readdirSync(dataDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [...(idsOfPickle(join(dataDirectory, name))?.keys() ?? [])]);
}

/** The names in a damaged SQLite, if the few pages that they are on can be read. */
function collectionNames(dataDirectory: string): string[] | undefined {
  try {
    using database = new DatabaseSync(join(dataDirectory, "chroma.sqlite3"), { readOnly: true });
    const rows = database.prepare("SELECT name FROM collections NOT INDEXED").all();
    return (rows as { name: string }[]).map(({ name }) => name);
  } catch {
    // Unreadable is an answer here: what is not known is not sure.
    return undefined;
  }
}
