import {
  type CallOptions,
  StoreError,
  type StoredRecord,
  type VectorCollection,
} from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { Mirror } from "../mirror.ts";
import { decodeRecord } from "../record-codec.ts";
import type { StoreAccess } from "../store-access.ts";
import type { OtherLine } from "./backup-line.ts";

const PAGE = 500;

/** What became of reading the store for records that the mirror does not hold. */
export interface OthersOutcome {
  /** Why the store could not be read to its end; undefined when it was. */
  reason: string | undefined;
  /** Records that were looked at. */
  scanned: number;
}

interface OthersDeps {
  journal: Journal;
  access: StoreAccess;
  /** The mirror as it is backed up. */
  mirror: Mirror;
}

/**
 * Every record of the collection that other programs wrote, with its vector, as a scan sees them.
 * When the store is away, the rest comes as the last sync saw it; `outcome` says so.
 */
export async function* othersIn(
  deps: OthersDeps,
  call: CallOptions,
  outcome: OthersOutcome,
): AsyncGenerator<OtherLine> {
  const seen = new Set<string>();
  if (deps.journal.pendingSwap() !== undefined) {
    outcome.reason = "a restore is not finished there";
    yield* lastSeen(deps, seen);
    return;
  }
  try {
    const collection = await openForBackup(deps, call);
    if (collection === undefined) return;
    for await (const page of collection.scan({ pageSize: PAGE, ...call })) {
      outcome.scanned += page.length;
      const ids = othersOf(page, deps);
      if (ids.length === 0) continue;
      for (const record of await collection.get(ids, { embeddings: true, ...call })) {
        if (record.embedding === undefined) {
          outcome.reason ??= `the record ${record.id} has no vector`;
          continue;
        }
        const { id, document, metadata, embedding } = record;
        seen.add(id);
        yield { t: "other", id, document, metadata, vector: embedding };
      }
    }
  } catch (error) {
    call.signal?.throwIfAborted();
    if (!(error instanceof StoreError)) throw error;
    outcome.reason = error.message;
    yield* lastSeen(deps, seen);
  }
}

/** What syncs have brought here, except what the store has given meanwhile, or is ours by now. */
function* lastSeen(
  { journal, mirror }: OthersDeps,
  seen: ReadonlySet<string>,
): Generator<OtherLine> {
  const { others } = journal.working;
  for (let page = others.page(0, PAGE); page.length > 0;) {
    for (const { id, document, metadata, vector } of page) {
      if (vector === undefined || seen.has(id) || mirror.find(id) !== undefined) continue;
      yield { t: "other", id, document, metadata, vector };
    }
    page = others.page(page.at(-1)?.memory ?? 0, PAGE);
  }
}

/**
 * Whether the store can hold nothing but what the mirror knows, going by its count alone; a store
 * that cannot be asked may.
 */
export async function holdsOnlyOurs(deps: OthersDeps, call: CallOptions): Promise<boolean> {
  try {
    const collection = await openForBackup(deps, call);
    return (await collection?.count(call)) === deps.mirror.countApplied();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return false;
  }
}

/** Undefined when there is no collection, and none is missed. */
async function openForBackup(
  { access, journal }: OthersDeps,
  call: CallOptions,
): Promise<VectorCollection | undefined> {
  try {
    const collection = await access.store.openCollection(access.collection, call);
    journal.noteForm(collection.info);
    return collection;
  } catch (error) {
    const isNew = !journal.mirror.hasApplied() && journal.working.others.count().held === 0;
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND" && isNew)
      return undefined;
    throw error;
  }
}

/** The ids that are in the mirror neither then nor now, and were not forgotten. */
function othersOf(page: readonly StoredRecord[], { journal, mirror }: OthersDeps): string[] {
  const then = mirror.known(page.map(({ id }) => id));
  const rest = page.filter(({ id }) => !then.has(id));
  const now = journal.mirror.known(rest.map(({ id }) => id));
  const isOthers = (record: StoredRecord): boolean => {
    const { id } = record;
    if (now.has(id)) return false;
    const buried = journal.mirror.tombstones.of(id);
    if (buried === undefined) return true;
    const revision = decodeRecord(record)?.revision;
    // Without a revision another program wrote it, perhaps after it was forgotten here.
    return revision === undefined ? !journal.outbox.hasQueued(id) : revision > buried.revision;
  };
  return rest.filter(isOthers).map(({ id }) => id);
}
