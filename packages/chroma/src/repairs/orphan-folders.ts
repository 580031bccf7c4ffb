import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { openQuarantine } from "../server/quarantine.ts";

/**
 * Moves folders that no collection names any more out of a data directory into quarantine.
 * Idempotent: what is gone already is passed by. Call it with the server stopped and the keeper's
 * lock held. Returns the quarantine's folder.
 * @throws errno errors.
 */
export function moveOrphansAside(
  dataDirectory: string,
  segments: readonly string[],
  clock: Clock = systemClock,
): string {
  const reason = `${segments.length} folders belong to no collection`;
  const folder = openQuarantine(dataDirectory, { reason, evidence: [...segments] }, clock);
  const target = join(folder, "data");
  mkdirSync(target, { mode: 0o700 });
  for (const segment of segments) {
    try {
      renameSync(join(dataDirectory, segment), join(target, segment));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return folder;
}
