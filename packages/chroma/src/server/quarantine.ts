import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { ensureStateDirectory } from "./state-directory.ts";
import { writeStateFile } from "./state-file.ts";

export interface Quarantined {
  /** The folder that holds `data` and `manifest.json`. */
  folder: string;
  /** Where the directory is now. */
  data: string;
}

/**
 * Moves a data directory aside, whole, into `quarantine/` of its state directory: one rename on
 * one file system, never a copy, never a deletion. Call it with the server stopped and the
 * keeper's lock held. The manifest says when and why, and is written first, so that a move that
 * was interrupted is still explained.
 * @param reason one line for people, and `evidence` for machines.
 * @throws errno errors; the directory is then where it was.
 */
export function quarantine(
  dataDirectory: string,
  why: { reason: string; evidence?: unknown },
  clock: Clock = systemClock,
): Quarantined {
  const paths = ensureStateDirectory(dataDirectory);
  const at = new Date(clock.now()).toISOString();
  const folder = freshFolder(paths.quarantine, at.replaceAll(/[:.]/g, "-"));
  const data = join(folder, "data");
  writeStateFile(join(folder, "manifest.json"), {
    dataDirectory: paths.dataDirectory,
    quarantinedAt: at,
    reason: why.reason,
    evidence: why.evidence ?? null,
  });
  renameSync(paths.dataDirectory, data);
  return { folder, data };
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
