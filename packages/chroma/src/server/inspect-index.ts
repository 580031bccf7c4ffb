import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PickleError, readPickle } from "./pickle.ts";

/** Chroma's index files of one vector segment, as they were last persisted. */
const HEADER = "header.bin";
const PICKLE = "index_metadata.pickle";
const LINKS = "link_lists.bin";
const DATA = "data_level0.bin";

/** hnswlib's header: u64 offset, u64 capacity, u64 count, u64 bytes a row … */
const COUNT_AT = 20;
const ROW_BYTES_AT = 28;
const HEADER_BYTES_MIN = 36;

/**
 * Why the index in a segment's folder is torn, in one line; undefined when it is whole. Chroma
 * persists it in place, the pickle after the rest: a process killed in between leaves files that
 * disagree, and a server that loads them crashes.
 * @param persisted whether SQLite says that the segment was persisted at least once.
 */
export function tornIndex(folder: string, persisted: boolean): string | undefined {
  const pickle = readOr(join(folder, PICKLE));
  if (pickle === undefined) {
    if (persisted) return `${PICKLE} is missing, though the index was persisted`;
    // Below the first threshold nothing is persisted yet: OLD and NEW builds differ in the files
    // that they lay out in advance, but neither has links then.
    return sizeOf(join(folder, LINKS)) > 0
      ? `${PICKLE} is missing beside a filled index`
      : undefined;
  }
  const header = readOr(join(folder, HEADER));
  if (header === undefined) return `${HEADER} is missing`;
  if (header.length < HEADER_BYTES_MIN) return `${HEADER} has only ${header.length} bytes`;
  const added = totalAdded(pickle);
  if (typeof added === "string") return added;
  const count = header.readUInt32LE(COUNT_AT);
  if (count !== added) return `${HEADER} counts ${count} elements, ${PICKLE} ${added}`;
  const expected = count * Number(header.readBigUInt64LE(ROW_BYTES_AT));
  const actual = sizeOf(join(folder, DATA));
  return actual < expected ? `${DATA} has ${actual} of ${expected} bytes` : undefined;
}

/** `total_elements_added`, or why it cannot be read. */
function totalAdded(pickle: Buffer): number | string {
  try {
    const root = readPickle(pickle);
    const added = root instanceof Map ? root.get("total_elements_added") : undefined;
    return typeof added === "number" ? added : `${PICKLE} does not say how many elements it names`;
  } catch (error) {
    if (error instanceof PickleError) return `${PICKLE} cannot be read: ${error.message}`;
    throw error;
  }
}

function readOr(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
