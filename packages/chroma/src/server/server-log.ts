import {
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** Past this many bytes the log is rotated; one older generation (`.1`) is kept. */
const SERVER_LOG_BYTES_MAX: number = 4 * 1024 * 1024;

const TAIL_BYTES = 64 * 1024;

/** A descriptor that appends, so that truncating the file under the server is safe. */
export function openServerLog(path: string): number {
  return openSync(path, "a", 0o600);
}

/**
 * Moves a log that has grown past `bytesMax` to `<path>.1` and empties it in place: the server
 * writes to its own descriptor, which must stay the same file. Returns whether it did.
 */
export function rotateServerLog(path: string, bytesMax: number = SERVER_LOG_BYTES_MAX): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= bytesMax) return false;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
  return true;
}

/** Chroma's start-up picture, and the empty lines around it. */
const PICTURE = /^[\s(#=]*$/;

/** The last lines that say something, oldest first, without colours; none without a log. */
export function tailServerLog(path: string, lines: number): string[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const descriptor = openSync(path, "r");
  try {
    const size = fstatSync(descriptor).size;
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return stripVTControlCharacters(buffer.toString("utf8", 0, read))
      .split("\n")
      .filter((line) => !PICTURE.test(line))
      .slice(-lines);
  } finally {
    closeSync(descriptor);
  }
}
