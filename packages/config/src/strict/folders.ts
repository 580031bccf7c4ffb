import { accessSync, constants, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { CheckedConfig, EnvironmentFinding } from "./environment-check.ts";
import { placesIn } from "./places.ts";

/** Below this nothing is safe to write: SQLite and Chroma need room to commit. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

/** Every folder that is named can be written, or made. */
export function foldersAreWritable({ config }: CheckedConfig): EnvironmentFinding[] {
  return foldersOf(config).flatMap(({ path, folder }) => {
    const why = unwritable(folder);
    if (why === undefined) return [];
    return [{ rule: "folder-writable", path, message: why, expected: "a folder to write to" }];
  });
}

/** Their disks have room. */
export function disksHaveRoom({ config }: CheckedConfig): EnvironmentFinding[] {
  return foldersOf(config).flatMap(({ path, folder }) => {
    const { bavail, bsize } = statfsSync(nearestExisting(folder));
    const free = bavail * bsize;
    if (free >= FREE_BYTES_MIN) return [];
    const message = `has ${mebibytes(free)} MiB left on its disk`;
    const expected = `at least ${mebibytes(FREE_BYTES_MIN)} MiB`;
    return [{ rule: "disk-space", path, message, expected }];
  });
}

function foldersOf(config: CheckedConfig["config"]): { path: string; folder: string }[] {
  const managed = config.vector_store.config.mode === "managed";
  return [...placesIn(config)].flatMap(({ path, value, schema }) => {
    if (schema["x-path"] === undefined || typeof value !== "string") return [];
    if (!managed && path.startsWith("vector_store.")) return [];
    // A file that is written: those that are read are secrets, whose reference is one value.
    return [{ path, folder: schema["x-path"] === "file" ? dirname(value) : value }];
  });
}

function unwritable(folder: string): string | undefined {
  const existing = nearestExisting(folder);
  if (!statSync(existing).isDirectory()) return `${existing} is not a folder`;
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `${existing} cannot be written to (${(error as NodeJS.ErrnoException).code})`;
  }
}

function nearestExisting(folder: string): string {
  let at = folder;
  while (!exists(at)) at = dirname(at);
  return at;
}

/** A path through a file, or into a folder that may not be entered, does not exist either. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

const mebibytes = (bytes: number): number => Math.floor(bytes / 1024 / 1024);
