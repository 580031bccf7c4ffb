import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { ServerError } from "./server-error.ts";

/** Lets the content of a file survive a power cut. */
export function syncFile(path: string): void {
  // Windows syncs only what is open for writing.
  syncOpened(path, "r+");
}

/** Lets the names in a folder survive a power cut. Windows syncs no folders, and sees to that itself. */
export function syncFolder(path: string): void {
  if (process.platform !== "win32") syncOpened(path, "r");
}

function syncOpened(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes JSON (0600) so that a reader sees the old content or the new, never a part. */
export function writeStateFile(path: string, value: unknown): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, "w", 0o600);
    try {
      // Not `writeSync`, which writes a part, and no error, where the disk has room for no more.
      writeFileSync(descriptor, `${JSON.stringify(value, undefined, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The object in a file that {@link writeStateFile} wrote; undefined when there is no file.
 * @throws ServerError `SERVER_STATE_INVALID`.
 */
export function readStateFile(path: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    throw invalidState(path, "it is not JSON", error);
  }
  throw invalidState(path, "it is not an object");
}

export function invalidState(path: string, why: string, cause?: unknown): ServerError {
  return new ServerError(`${path} cannot be used: ${why}`, {
    code: "SERVER_STATE_INVALID",
    hint: "Stop whatever uses this data directory, then delete the file; it is written anew.",
    cause,
  });
}
