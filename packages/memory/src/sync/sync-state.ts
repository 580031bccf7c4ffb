import type { Journal } from "../journal.ts";

/** What one sync has counted; of the ids, a sample. */
export interface SyncCounts {
  added: number;
  changed: number;
  /** Gone from the store at an earlier sync, and there again. */
  returned: number;
  vanished: number;
  /** Forgotten here, and still or again in the store: left out. */
  forgotten: number;
  samples: Record<"added" | "changed" | "returned" | "vanished" | "forgotten", string[]>;
}

export interface SyncState {
  /** Counts the syncs of a collection, from 1. */
  run: number;
  /** Wall-clock milliseconds. */
  begunAt: number;
  /** Undefined while it is under way, or was cut off. */
  doneAt: number | undefined;
  counts: SyncCounts;
}

const SAMPLE_MAX = 20;

export function noCounts(): SyncCounts {
  const samples = { added: [], changed: [], returned: [], vanished: [], forgotten: [] };
  return { added: 0, changed: 0, returned: 0, vanished: 0, forgotten: 0, samples };
}

export function countIn(counts: SyncCounts, kind: keyof SyncCounts["samples"], id: string): void {
  counts[kind] += 1;
  if (counts.samples[kind].length < SAMPLE_MAX) counts.samples[kind].push(id);
}

/** For what is met, and counted, again by a sync that is taken up. */
export function beginAnew(counts: SyncCounts, kind: keyof SyncCounts["samples"]): void {
  counts[kind] = 0;
  counts.samples[kind] = [];
}

/** The last sync of a journal's collection; undefined before the first. */
export function syncStateOf({ working, collection }: Journal): SyncState | undefined {
  const row = working.db
    .prepare("SELECT run, begun_at, done_at, counts FROM sync WHERE collection = ?")
    .get(collection) as
    | { run: number; begun_at: number; done_at: number | null; counts: string }
    | undefined;
  if (row === undefined) return undefined;
  const counts = JSON.parse(row.counts) as SyncCounts;
  return { run: row.run, begunAt: row.begun_at, doneAt: row.done_at ?? undefined, counts };
}

/** Inside a transaction of `db`. */
export function noteSync(
  db: Journal["working"]["db"],
  collection: number,
  { run, begunAt, doneAt, counts }: SyncState,
): void {
  db.prepare("INSERT OR REPLACE INTO sync VALUES (?, ?, ?, ?, ?)").run(
    collection,
    run,
    begunAt,
    doneAt ?? null,
    JSON.stringify(counts),
  );
}
