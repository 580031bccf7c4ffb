import type { Journal } from "./journal.ts";
import { isEmptyFilter } from "./filter-sql.ts";
import { MemoryError } from "./memory-error.ts";
import type { Filter } from "./memory-record.ts";
import type { Recall } from "./recall.ts";
import { decodeRecord } from "./record-codec.ts";
import { isStoreFailure, type StoreAccess } from "./store-access.ts";
import { validateFilter, validateId } from "./validate.ts";

interface SelectionDeps {
  journal: Journal;
  access: StoreAccess;
  recall: Recall;
}

/** The ids a selector means; of those that only the store holds, the revisions as well. */
export async function selectToForget(
  selector: readonly string[] | Filter,
  deps: SelectionDeps,
  signal: AbortSignal,
): Promise<{ ids: string[]; foreign: ReadonlyMap<string, number> }> {
  const { journal } = deps;
  if (!isIdList(selector)) {
    validateFilter(selector);
    if (isEmptyFilter(selector)) throw unscoped();
    const { mirror, besides } = journal.working;
    // Also what a sync has seen of other programs, and what a restore has replaced: it could come
    // back. Of an id that is remembered, what it says now decides.
    const elsewhere = besides.flatMap((copy) => copy.idsMatching(selector));
    const remembered = mirror.known(elsewhere);
    const ids = [...mirror.idsMatching(selector), ...elsewhere.filter((id) => !remembered.has(id))];
    return { ids: [...new Set(ids)], foreign: new Map() };
  }
  for (const id of selector) validateId(id);
  const unique = [...new Set(selector)];
  // What a restore has replaced could come back, so it can be forgotten.
  const known = new Set(
    [journal.mirror, ...journal.working.besides].flatMap((copy) => [...copy.known(unique)]),
  );
  const foreign = await foreignAmong(
    unique.filter((id) => !known.has(id)),
    deps,
    signal,
  );
  return { ids: unique.filter((id) => known.has(id) || foreign.has(id)), foreign };
}

async function foreignAmong(
  ids: readonly string[],
  deps: SelectionDeps,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const { access, recall } = deps;
  try {
    const records = await access.read(async (inner) => {
      const collection = await access.openForRead(inner);
      return (await collection?.get(ids, { signal: inner })) ?? [];
    }, signal);
    return new Map(
      records
        .map((record) => [record.id, decodeRecord(record)?.revision] as const)
        .filter(([id, revision]) => !recall.isForgotten(id, revision))
        .map(([id, revision]) => [id, revision ?? 0] as const),
    );
  } catch (error) {
    // Without the store an id that this machine does not know is unknown.
    if (isStoreFailure(error)) return new Map();
    throw error;
  }
}

function isIdList(selector: readonly string[] | Filter): selector is readonly string[] {
  return Array.isArray(selector);
}

function unscoped(): MemoryError {
  return new MemoryError("Nothing says what to forget", {
    code: "FORGET_UNSCOPED",
    hint: "Name ids, or a user, agent, session, project, tag or metadata value.",
  });
}
