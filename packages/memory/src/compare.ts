import type { CallOptions, StoredRecord, VectorCollection } from "@holdfast/store";
import type { Comparison } from "./memory.ts";
import type { Mirror } from "./mirror.ts";
import type { MirrorRow } from "./mirror-row.ts";
import { decodeRecord, STAMP } from "./record-codec.ts";

/** Largest difference of any component after both vectors were brought to length 1. */
const COMPONENT_TOLERANCE = 1e-6;
const PAGE = 500;

/**
 * What a store holds, held against the mirror: text, every metadata value, revision, and the vector
 * within 1e-6 of unit length (a store may normalise). What another program or another host wrote is
 * counted, never judged; what is still queued is not compared.
 */
export class MirrorComparison {
  readonly #mirror: Mirror;
  readonly #seen = new Set<string>();
  readonly #different: string[] = [];
  #foreign = 0;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** Each record of the store once. */
  see(records: readonly StoredRecord[]): void {
    for (const record of records) {
      const row = this.#mirror.find(record.id);
      if (row === undefined) this.#foreign += 1;
      else if (isApplied(row)) {
        this.#seen.add(record.id);
        if (!isSame(record, row, this.#mirror)) this.#different.push(record.id);
      }
    }
  }

  /** Once everything was seen: what was not is missing. */
  result(): Comparison {
    const missing: string[] = [];
    let compared = 0;
    for (const id of this.#mirror.appliedIds()) {
      compared += 1;
      if (!this.#seen.has(id)) missing.push(id);
    }
    const different = this.#different;
    const equal = missing.length + different.length === 0;
    return { compared, missing, different, foreign: this.#foreign, equal };
  }
}

/** Reads every record of a collection and compares it with the mirror. */
export async function compareWithMirror(
  collection: VectorCollection,
  mirror: Mirror,
  call: CallOptions,
): Promise<Comparison> {
  const comparison = new MirrorComparison(mirror);
  const pages = collection.scan({ embeddings: true, pageSize: PAGE, ...call });
  for await (const page of readAhead(pages)) comparison.see(page);
  return comparison.result();
}

/** What `source` gives, with the next already asked for: the store works while we do. */
async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const result = await next;
      if (result.done) return;
      next = iterator.next();
      // It is thrown where it is awaited.
      next.catch(() => undefined);
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Whether the store is known to hold the newest revision. */
export function isApplied(row: MirrorRow): boolean {
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
  const lengthA = lengthOf(a) || 1;
  const lengthB = lengthOf(b) || 1;
  for (let at = 0; at < a.length; at += 1) {
    const apart = Math.abs((a[at] as number) / lengthA - (b[at] as number) / lengthB);
    // Not a number is not parallel either.
    if (!(apart <= COMPONENT_TOLERANCE)) return false;
  }
  return true;
}

/** In double precision the square of no float32 overflows or vanishes. */
function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
