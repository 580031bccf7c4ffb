import type { Database } from "@holdfast/sqlite";
import { type EmbedderIdentity, sameEmbedder } from "@holdfast/store";
import type { PendingSwap } from "../collection-swap.ts";
import type { Journal } from "../journal.ts";
import type { MirrorRow } from "../mirror-row.ts";
import { previousNumber, stagedNumber, type Tables } from "../tables.ts";
import { BackupError } from "./backup-error.ts";
import { beginLineage, lastNumber, prunedUpTo } from "./lineage.ts";

/** The state that the last restore has replaced. */
export interface PreviousState {
  /** The collection in the store that holds it, if there is one. */
  keptAs: string;
  /** When it was replaced, wall-clock milliseconds. */
  at: number;
  embedder: EmbedderIdentity | undefined;
  /** The backup that took its place; undefined after an undo. */
  backup: string | undefined;
}

export interface SwapIn {
  /** Where the new state is: prepared by a restore, or replaced by the last one. */
  incoming: "staged" | "previous";
  /** Writes after this one stay, on top of the new state. */
  sinceSeq: number;
  /** The collection in the store that holds the new state. */
  from: string | undefined;
  keptAs: string;
  embedder: EmbedderIdentity | undefined;
  backup: string | undefined;
  now: number;
}

/**
 * What was written after `seq` stays, on top: so it must all be known still.
 * @throws BackupError `RESTORE_REFUSED`.
 */
export function requireKeptSince(
  seq: number,
  { db, collection }: { db: Database; collection: number },
): void {
  if (prunedUpTo(db, collection) <= seq) return;
  throw new BackupError("Writes that came after the plan are no longer kept to be put on top", {
    code: "RESTORE_REFUSED",
    hint: "Nothing was changed. Plan it again, with larger outbox.kept_records_max and kept_bytes_max.",
  });
}

/**
 * Puts a prepared state in the place of what is remembered, in one transaction: from here on
 * readers see the new state, from the mirror until the store's collections have changed names too.
 * @throws BackupError `RESTORE_REFUSED`, as {@link requireKeptSince}.
 */
export function swapIn(journal: Journal, swap: SwapIn): void {
  const { collection } = journal;
  const replaced: PreviousState = {
    keptAs: swap.keptAs,
    at: swap.now,
    embedder: journal.embedder(),
    backup: swap.backup,
  };
  journal.decide((tables) => {
    const { db } = tables;
    requireKeptSince(swap.sinceSeq, { db, collection });
    const kept = writesSince(tables, collection, swap.sinceSeq);
    const move = (from: number, to: number): void => {
      db.prepare("UPDATE memory SET collection = ? WHERE collection = ?").run(to, from);
    };
    const previous = previousNumber(collection);
    const staged = stagedNumber(collection);
    if (swap.incoming === "staged") {
      move(collection, previous);
      move(staged, collection);
    } else {
      move(collection, staged);
      move(previous, collection);
      move(staged, previous);
    }
    const isSameModel = sameEmbedder(replaced.embedder, swap.embedder);
    for (const write of kept)
      putOnTop(tables, isSameModel ? write : { ...write, vector: undefined });
    tables.outbox.supersede(swap.sinceSeq);
    queueWhatTheStoreLacks(tables, collection, swap.now);
    const pending: PendingSwap = { from: swap.from, keptAs: swap.keptAs };
    journal.setRestoreState(db, "staged", undefined);
    journal.setRestoreState(db, "previous", replaced);
    journal.setRestoreState(db, "swap", pending);
    beginLineage(db, collection, lastNumber(db, "entry"), swap.now);
    db.prepare("UPDATE collection SET embedder = ? WHERE collection = ?").run(
      swap.embedder === undefined ? null : JSON.stringify(swap.embedder),
      collection,
    );
    journal.voidHandles(db);
  });
}

interface KeptWrite {
  id: string;
  /** Undefined for an id that was forgotten. */
  row: MirrorRow | undefined;
  vector: Float32Array | undefined;
}

function writesSince({ db, mirror }: Tables, collection: number, seq: number): KeptWrite[] {
  const ids = db
    .prepare("SELECT DISTINCT id FROM entry WHERE collection = ? AND seq > ?")
    .all(collection, seq) as { id: string }[];
  return ids.map(({ id }) => {
    const row = mirror.find(id);
    return { id, row, vector: row && mirror.vectorOf(row.memory) };
  });
}

/** A write that came after all is newer than what the new state says of its id. */
function putOnTop({ mirror }: Tables, { id, row, vector }: KeptWrite): void {
  const incoming = mirror.find(id);
  if (row === undefined) {
    if (incoming !== undefined) mirror.drop(incoming);
    return;
  }
  const revision = Math.max(row.revision, (incoming?.revision ?? 0) + 1);
  mirror.put(id, revision, row.content, row.checksum);
  const put = mirror.find(id);
  if (put !== undefined && vector !== undefined) mirror.keepVector(put, vector);
}

function queueWhatTheStoreLacks(tables: Tables, collection: number, now: number): void {
  const { db, mirror, outbox } = tables;
  const rows = db
    .prepare(
      `SELECT id FROM memory WHERE collection = ? AND applied_revision < revision
         AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.collection = memory.collection
           AND entry.id = memory.id AND entry.state IN ('queued', 'dead')
           AND entry.revision >= memory.revision)`,
    )
    .all(collection) as { id: string }[];
  for (const { id } of rows) {
    const row = mirror.find(id);
    if (row === undefined) continue;
    const payload = JSON.stringify(row.content);
    outbox.append({
      id,
      revision: row.revision,
      operation: "put",
      payload,
      bytes: Buffer.byteLength(payload) + Buffer.byteLength(id),
      now,
    });
  }
}
