import type { Batch } from "./applier.ts";
import type { Tables } from "./tables.ts";

export interface BatchLimits {
  /** Queued writes that are looked at. */
  recordsMax: number;
  bytesMax: number;
  /** Texts that are still to be embedded. */
  unembeddedMax: number;
}

/** Rough JSON size of one float of a vector, in bytes. */
const FLOAT_BYTES = 12;
/** And of what a record has beside its text and vector. */
const RECORD_BYTES = 512;

/** What the oldest queued writes ask of the store: for each id its state now, one record at least. */
export function nextBatch({ outbox, mirror }: Tables, limits: BatchLimits): Batch {
  const batch: Batch = { puts: [], forgets: [] };
  const seen = new Set<string>();
  let bytes = 0;
  let unembedded = 0;
  for (const entry of outbox.queued(limits.recordsMax)) {
    const { id } = entry;
    if (seen.has(id)) continue;
    seen.add(id);
    const row = mirror.find(id);
    // A forget goes alone when the memory that used its id again is a dead letter.
    const last = entry.operation === "forget" || !row ? outbox.newestQueued(id) : undefined;
    if (row === undefined || last?.operation === "forget") {
      batch.forgets.push({ id, revision: last?.revision ?? entry.revision });
      continue;
    }
    const vector = mirror.vectorOf(row.memory);
    if (vector === undefined) unembedded += 1;
    bytes += sizeOf(row.content.text, vector?.length ?? 0);
    const isFull = bytes > limits.bytesMax || unembedded > limits.unembeddedMax;
    if (isFull && !isEmpty(batch)) break;
    batch.puts.push({ row, vector });
  }
  return batch;
}

export function isEmpty(batch: Batch): boolean {
  return batch.puts.length + batch.forgets.length === 0;
}

export function idsOf(batch: Batch): string[] {
  return [...batch.puts.map(({ row }) => row.id), ...batch.forgets.map(({ id }) => id)];
}

function sizeOf(text: string, dimension: number): number {
  return text.length * 3 + dimension * FLOAT_BYTES + RECORD_BYTES;
}
