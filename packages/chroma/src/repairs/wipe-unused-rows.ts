import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { tornIndex } from "../server/inspect-index.ts";

/** In hnswlib's header, after its version: u64 offset, u64 capacity, u64 count, u64 row … */
const CAPACITY_AT = 12;
const COUNT_AT = 20;
const ROW_AT = 28;
const HEADER_BYTES = 36;
const LENGTH_BYTES = 4;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Overwrites what stands in the rows of Chroma's index files that hold no vector yet: whatever was
 * in the server's memory when it made them, texts among it. Call it with the server stopped. Files
 * that are not as their header says are left alone, and so is a torn index.
 */
export function wipeUnusedRows(dataDirectory: string): void {
  for (const entry of readdirSync(dataDirectory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(dataDirectory, entry.name);
    const header = headerOf(join(folder, "header.bin"));
    // Behind the header of a torn index may stand vectors that a repair looks for.
    if (header === undefined || tornIndex(folder, false) !== undefined) continue;
    const { capacity, count, row } = header;
    wipe(join(folder, "length.bin"), count * LENGTH_BYTES, capacity * LENGTH_BYTES);
    wipe(join(folder, "data_level0.bin"), count * row, capacity * row);
  }
}

function headerOf(path: string): { capacity: number; count: number; row: number } | undefined {
  const descriptor = openIfThere(path, "r");
  if (descriptor === undefined) return undefined;
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(descriptor, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    const [capacity, count, row] = [CAPACITY_AT, COUNT_AT, ROW_AT].map((at) =>
      Number(header.readBigUInt64LE(at)),
    ) as [number, number, number];
    return count <= capacity ? { capacity, count, row } : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes only where something stands, so that a sparse file stays one. */
function wipe(path: string, from: number, bytes: number): void {
  const descriptor = openIfThere(path, "r+");
  if (descriptor === undefined) return;
  try {
    if (fstatSync(descriptor).size !== bytes) return;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const zeros = Buffer.alloc(CHUNK_BYTES);
    for (let at = from; at < bytes;) {
      const got = readSync(descriptor, chunk, 0, Math.min(CHUNK_BYTES, bytes - at), at);
      if (got === 0) break;
      if (!chunk.subarray(0, got).equals(zeros.subarray(0, got)))
        writeSync(descriptor, zeros, 0, got, at);
      at += got;
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(path: string, flags: string): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
