import {
  cpSync,
  existsSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { quarantine, type Quarantined } from "../server/quarantine.ts";
import { ensureStateDirectory, statePathsOf } from "../server/state-directory.ts";
import {
  invalidState,
  readStateFile,
  syncFile,
  syncFolder,
  writeStateFile,
} from "../server/state-file.ts";
import { RepairError } from "./repair-error.ts";

/** Copying is refused unless this much more than the directory is free. */
const SPACE_FACTOR = 1.1;

export interface Replaced<T> extends Quarantined {
  /** What the repair answered. */
  result: T;
}

/**
 * Repairs a data directory without touching it: copies it, lets `repair` work on the copy, moves
 * the original aside and puts the copy in its place. Killed at any point, it leaves the original
 * where it was, or the repaired copy for {@link finishReplacement} to put there.
 * Call it with the server stopped and the keeper's lock held.
 *
 * @param repair throws to give up: the copy is then dropped and nothing was changed.
 * @param announce told where the original will be, before it is moved.
 * @throws RepairError `REPAIR_SPACE`; what `repair` throws; errno errors.
 */
export async function replaceDirectory<T>(
  dataDirectory: string,
  why: { reason: string; evidence?: unknown },
  repair: (copy: string, original: string) => T | Promise<T>,
  clock: Clock = systemClock,
  announce: (aside: Quarantined) => void = () => undefined,
): Promise<Replaced<T>> {
  const paths = ensureStateDirectory(dataDirectory);
  const copy = join(paths.stateDirectory, "repair");
  rmSync(copy, { recursive: true, force: true });
  requireSpace(paths.dataDirectory, paths.stateDirectory);
  let result: T;
  try {
    cpSync(paths.dataDirectory, copy, { recursive: true, preserveTimestamps: true });
    result = await repair(copy, paths.dataDirectory);
    syncTree(copy);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    throw error;
  }
  writeStateFile(swapFileOf(dataDirectory), { reason: why.reason });
  const aside = quarantine(dataDirectory, why, clock, announce);
  finishReplacement(dataDirectory);
  return { ...aside, result };
}

/**
 * Ends a replacement that was cut off between its two renames; does nothing otherwise. Idempotent.
 * Returns whether a repaired directory was put in its place.
 */
export function finishReplacement(dataDirectory: string): boolean {
  const paths = statePathsOf(dataDirectory);
  const file = swapFileOf(dataDirectory);
  if (readStateFile(file) === undefined) return false;
  const copy = join(paths.stateDirectory, "repair");
  const isCopied = existsSync(copy);
  const isMoved = removeIfEmpty(paths.dataDirectory);
  if (isMoved && !isCopied) {
    throw invalidState(file, "neither the directory nor its repaired copy is there");
  }
  // The original was not moved aside yet: it stays, as if nobody had begun.
  if (isMoved) {
    renameSync(copy, paths.dataDirectory);
    syncFolder(dirname(paths.dataDirectory));
  } else rmSync(copy, { recursive: true, force: true });
  rmSync(file, { force: true });
  return isMoved;
}

function swapFileOf(dataDirectory: string): string {
  return join(statePathsOf(dataDirectory).stateDirectory, "swap.json");
}

/** True when there is no directory (any more). An empty one holds nothing that could be lost. */
function removeIfEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

function requireSpace(directory: string, target: string): void {
  const needed = Math.ceil(bytesOf(directory) * SPACE_FACTOR);
  const { bavail, bsize } = statfsSync(target);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new RepairError(
    `A repair works on a copy of ${directory}: it needs ${needed} bytes, and ${free} are free`,
    { code: "REPAIR_SPACE", hint: "Free some space on that disk, then: holdfast memory recover" },
  );
}

/** Bytes of all files below a directory. */
function bytesOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** The original is moved away only when the copy would survive a power cut, with all its names. */
function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) syncFile(path);
    else if (entry.isDirectory()) syncFolder(path);
  }
  syncFolder(directory);
}
