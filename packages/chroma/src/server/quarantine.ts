import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { ServerError } from "./server-error.ts";
import { ensureStateDirectory, statePathsOf } from "./state-directory.ts";
import { readStateFile, syncFolder, writeStateFile } from "./state-file.ts";

export interface Quarantined {
  /** The folder that holds `data` and `manifest.json`. */
  folder: string;
  /** Where the directory is now. */
  data: string;
}

/** One thing that was moved aside, as its manifest tells it. */
export interface QuarantineEntry {
  /** Names it to {@link pruneQuarantine}. */
  name: string;
  folder: string;
  /** ISO 8601; undefined when the manifest cannot be read. */
  quarantinedAt: string | undefined;
  reason: string;
  bytes: number;
}

const MANIFEST = "manifest.json";

/**
 * Moves a data directory aside, whole, into `quarantine/` of its state directory: one rename on
 * one file system, never a copy, never a deletion. Call it with the server stopped and the
 * keeper's lock held. The manifest says when and why, and is written first, so that a move that
 * was interrupted is still explained.
 * @param why `reason`: one line for people; `evidence`: for machines.
 * @param announce told where it will be, before it is moved: whoever must find it after a kill.
 * @throws errno errors; what `announce` throws; the directory is then where it was.
 */
export function quarantine(
  dataDirectory: string,
  why: { reason: string; evidence?: unknown },
  clock: Clock = systemClock,
  announce: (aside: Quarantined) => void = () => undefined,
): Quarantined {
  const folder = openQuarantine(dataDirectory, why, clock);
  const aside = { folder, data: join(folder, "data") };
  announce(aside);
  renameSync(statePathsOf(dataDirectory).dataDirectory, aside.data);
  syncFolder(folder);
  return aside;
}

/** Makes a folder in quarantine with its manifest, for what is about to be moved there. */
export function openQuarantine(
  dataDirectory: string,
  why: { reason: string; evidence?: unknown },
  clock: Clock,
): string {
  const paths = ensureStateDirectory(dataDirectory);
  const at = new Date(clock.now()).toISOString();
  const folder = freshFolder(paths.quarantine, at.replaceAll(/[:.]/g, "-"));
  writeStateFile(join(folder, MANIFEST), {
    dataDirectory: paths.dataDirectory,
    quarantinedAt: at,
    reason: why.reason,
    evidence: why.evidence ?? null,
  });
  return folder;
}

/** Everything that was moved aside for a data directory, oldest first. */
export function listQuarantine(dataDirectory: string): QuarantineEntry[] {
  const parent = statePathsOf(dataDirectory).quarantine;
  return namesIn(parent).map((name) => {
    const folder = join(parent, name);
    const { quarantinedAt: at, reason } = manifestIn(folder);
    return {
      name,
      folder,
      quarantinedAt: typeof at === "string" ? at : undefined,
      reason: typeof reason === "string" ? reason : "nothing says why",
      bytes: bytesBelow(folder),
    };
  });
}

/**
 * Deletes what was moved aside, by name. Nothing else in Holdfast does.
 * @throws RangeError for a name that {@link listQuarantine} does not tell.
 */
export function pruneQuarantine(dataDirectory: string, names: readonly string[]): void {
  const parent = statePathsOf(dataDirectory).quarantine;
  const known = new Set(namesIn(parent));
  const unknown = names.find((name) => !known.has(name) || basename(name) !== name);
  if (unknown !== undefined) throw new RangeError(`Nothing in quarantine is called ${unknown}`);
  for (const name of names) rmSync(join(parent, name), { recursive: true, force: true });
}

/** Empty where it cannot be read: what was moved aside is there all the same. */
function manifestIn(folder: string): Record<string, unknown> {
  try {
    return readStateFile(join(folder, MANIFEST)) ?? {};
  } catch (error) {
    if (error instanceof ServerError) return {};
    throw error;
  }
}

function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}

function freshFolder(parent: string, name: string): string {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (let suffix = 0; ; suffix += 1) {
    const folder = join(parent, suffix === 0 ? name : `${name}-${suffix}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
