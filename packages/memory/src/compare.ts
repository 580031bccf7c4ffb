import type { CallOptions, StoredRecord, VectorCollection } from "@holdfast/store";
import type { Comparison } from "./memory.ts";
import type { Mirror, MirrorRow } from "./mirror.ts";
import { decodeRecord, STAMP } from "./record-codec.ts";

/** Largest difference of any component after both vectors were brought to length 1. */
const COMPONENT_TOLERANCE = 1e-6;
const PAGE = 500;

/**
 * Reads every record of a collection and compares it with the mirror: text, every metadata value,
 * revision, and the vector within 1e-6 of unit length (a store may normalise). What another
 * program or another host wrote is counted, never judged; what is still queued is not compared.
 */
export async function compareWithMirror(
  collection: VectorCollection,
  mirror: Mirror,
  call: CallOptions,
): Promise<Comparison> {
  const seen = new Set<string>();
  const different: string[] = [];
  let foreign = 0;
  for await (const page of collection.scan({ embeddings: true, pageSize: PAGE, ...call })) {
    for (const record of page) {
      const row = mirror.find(record.id);
      if (row === undefined) foreign += 1;
      else if (isApplied(row)) {
        seen.add(record.id);
        if (!isSame(record, row, mirror)) different.push(record.id);
      }
    }
  }
  const missing: string[] = [];
  let compared = 0;
  for (const row of rowsOf(mirror)) {
    if (!isApplied(row)) continue;
    compared += 1;
    if (!seen.has(row.id)) missing.push(row.id);
  }
  const equal = missing.length + different.length === 0;
  return { compared, missing, different, foreign, equal };
}

/** Every row of the mirror, a page at a time. */
export function* rowsOf(mirror: Mirror): Generator<MirrorRow> {
  for (let after = 0; ;) {
    const page = mirror.page(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.memory;
  }
}

function isApplied(row: MirrorRow): boolean {
  return row.appliedRevision >= row.revision;
}

function isSame(record: StoredRecord, row: MirrorRow, mirror: Mirror): boolean {
  const decoded = decodeRecord(record);
  // Another host has written a newer revision: the store is ahead, not wrong.
  if (decoded !== undefined && decoded.revision > row.revision) return true;
  if (decoded?.revision !== row.revision || decoded.checksum !== row.checksum) return false;
  if (record.document !== row.content.text) return false;
  const wanted = mirror.encode(row);
  const keys = Object.keys(wanted);
  if (keys.length !== Object.keys(record.metadata).length) return false;
  if (keys.some((key) => key !== STAMP && record.metadata[key] !== wanted[key])) return false;
  const vector = mirror.vectorOf(row.memory);
  return (
    vector === undefined || (record.embedding !== undefined && isParallel(vector, record.embedding))
  );
}

export function isParallel(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  const lengthA = Math.hypot(...a) || 1;
  const lengthB = Math.hypot(...b) || 1;
  return a.every(
    (value, index) =>
      Math.abs(value / lengthA - (b[index] as number) / lengthB) <= COMPONENT_TOLERANCE,
  );
}
