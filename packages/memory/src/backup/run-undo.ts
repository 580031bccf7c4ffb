import type { Clock } from "@holdfast/core";
import { sameEmbedder, type VectorCollection } from "@holdfast/store";
import type { Drainer } from "../drainer.ts";
import type { Journal } from "../journal.ts";
import type { Embedder } from "../memory.ts";
import { MemoryError } from "../memory-error.ts";
import { decodeRecord } from "../record-codec.ts";
import type { StoreAccess } from "../store-access.ts";
import { BackupError } from "./backup-error.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { swapped } from "./run-restore.ts";
import { REPLACED, Staging, unlessMissing } from "./staging.ts";
import { type PreviousState, requireKeptSince, swapIn } from "./swap-in.ts";

const CALL_MS = 60_000;

export interface UndoReport {
  /** Memories that are there now. */
  memories: number;
  /** Undefined when the store has everything; else why it follows later. */
  pending: string | undefined;
}

interface UndoDeps {
  journal: Journal;
  access: StoreAccess;
  drainer: Drainer;
  embedder: Embedder;
  clock: Clock;
}

/** The state that an undo would bring back. @throws BackupError `RESTORE_UNDO_MISSING`. */
export function previousState(journal: Journal): PreviousState {
  const previous = journal.restoreState("previous") as PreviousState | undefined;
  if (previous !== undefined) return previous;
  throw new BackupError("Nothing was restored here that could be undone", {
    code: "RESTORE_UNDO_MISSING",
    hint: "Restore an earlier backup: holdfast memory backup list",
  });
}

/**
 * Brings back what the last restore has replaced, without what was forgotten since; writes after
 * `sinceSeq` stay on top. What it replaces can be brought back in turn.
 * @throws BackupError `RESTORE_UNDO_MISSING`, `RESTORE_REFUSED`; MemoryError `EMBEDDER_MISMATCH`; StoreError.
 */
export async function runUndo(
  sinceSeq: number,
  { journal, access, drainer, embedder, clock }: UndoDeps,
  signal: AbortSignal,
): Promise<UndoReport> {
  const ours = await embedder.identity();
  return drainer.exclusively(signal, async (inner, requireLease) => {
    const previous = previousState(journal);
    if (!sameEmbedder(previous.embedder, ours)) throw mismatch(previous);
    const call = { signal: inner, timeoutMs: CALL_MS };
    requireKeptSince(sinceSeq, { db: journal.working.db, collection: journal.collection });
    await new Staging(journal, access.store, access.collection).clear(inner);
    const kept = await unlessMissing(() => access.store.openCollection(previous.keptAs, call));
    if (kept !== undefined) await deleteForgotten(kept, previous, journal, call);
    requireLease();
    swapIn(journal, {
      incoming: "previous",
      sinceSeq,
      from: kept === undefined ? undefined : previous.keptAs,
      keptAs: `${access.collection}${REPLACED}${clock.now()}`,
      embedder: previous.embedder,
      backup: undefined,
      now: clock.now(),
    });
    const pending = await swapped({ journal, access }, call);
    return { memories: journal.mirror.count(), pending };
  });
}

/** Nobody told the kept collection what was forgotten meanwhile. */
async function deleteForgotten(
  kept: VectorCollection,
  { at }: PreviousState,
  { working, collection }: Journal,
  call: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
  const forgotten = new ForgottenIds(working.db, collection);
  const doomed: string[] = [];
  for await (const page of kept.scan(call)) {
    for (const record of page) {
      const revision = decodeRecord(record)?.revision ?? Number.MAX_SAFE_INTEGER;
      if (working.previous.find(record.id) !== undefined) continue;
      if (forgotten.isForgottenSince(record.id, revision, at)) doomed.push(record.id);
    }
  }
  for (let from = 0; from < doomed.length; from += 500)
    await kept.delete(doomed.slice(from, from + 500), call);
}

function mismatch({ embedder }: PreviousState): MemoryError {
  return new MemoryError(
    `What was replaced holds vectors of ${embedder?.provider}/${embedder?.model}, not of the embedder in use`,
    { code: "EMBEDDER_MISMATCH", hint: "Set embedder back to that one, then undo." },
  );
}
