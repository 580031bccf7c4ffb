import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Every file below a folder that holds one of `needles`, byte for byte. Links are not followed. */
export function filesWith(folder: string, needles: readonly Buffer[]): string[] {
  return filesBelow(folder).filter((path) => holdsAny(path, needles));
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Read in chunks that overlap, so that nothing is missed between two of them. */
function holdsAny(path: string, needles: readonly Buffer[]): boolean {
  const overlap = Math.max(0, ...needles.map(({ length }) => length - 1));
  const buffer = Buffer.alloc(CHUNK_BYTES + overlap);
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return false;
  try {
    for (let kept = 0; ;) {
      const got = readSync(descriptor, buffer, kept, CHUNK_BYTES, null);
      if (got === 0) return false;
      const view = buffer.subarray(0, kept + got);
      if (needles.some((needle) => view.includes(needle))) return true;
      kept = Math.min(overlap, view.length);
      buffer.copyWithin(0, view.length - kept, view.length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Journals and temporary files come and go while others are searched. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
