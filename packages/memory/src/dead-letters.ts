import type { Mirror } from "./mirror.ts";
import type { Outbox } from "./outbox.ts";
import { checksumOf, type MemoryContent } from "./record-codec.ts";

interface Tables {
  mirror: Mirror;
  outbox: Outbox;
}

/**
 * Gives dead letters up, inside the caller's transaction: the memories go back to the newest write
 * that is left of them, or to nothing. Returns how many letters there were.
 */
export function discardLetters(tables: Tables, seqs: readonly number[]): number {
  const { outbox } = tables;
  const wanted = new Set(seqs);
  const letters = outbox.deadLetters().filter(({ seq }) => wanted.has(seq));
  for (const { seq } of letters) outbox.discard(seq);
  for (const id of new Set(letters.map((letter) => letter.id))) fallBack(tables, id);
  return letters.length;
}

function fallBack({ mirror, outbox }: Tables, id: string): void {
  const row = mirror.find(id);
  if (row === undefined || row.appliedRevision >= row.revision) return;
  const left = outbox.newestPut(id);
  if (left === undefined) mirror.drop(row);
  else if (left.revision !== row.revision) {
    const content = JSON.parse(left.payload) as MemoryContent;
    mirror.put(id, left.revision, content, checksumOf(content));
  }
}
