import type { PlannedStep } from "@holdfast/recovery";

/** The steps that the persistence strategy may plan, as data. Costs are rough, for ranking. */

/** @param sure whether all that the directory held is known, and the mirror has it. */
export function moveAsideAndRebuild(mirrored: number, reason: string, sure: boolean): PlannedStep {
  return {
    action: "move-aside-and-rebuild",
    parameters: { reason, whole: false },
    title: `move the damaged data directory aside and rebuild ${mirrored} memories from the mirror`,
    changes: [
      "the data directory moves into quarantine, whole",
      "a new one takes its place, filled from the mirror and compared with it",
    ],
    ...(sure
      ? { risk: "low", costMs: 3_000 + mirrored }
      : { risk: "medium", costMs: 60_000 + mirrored }),
    reversal: "undo",
  };
}

/** For files that agree with each other, and yet give wrong answers or none. */
export function startAfresh(mirrored: number, reason: string): PlannedStep {
  const step = moveAsideAndRebuild(mirrored, reason, true);
  return { ...step, parameters: { reason, whole: true }, risk: "medium" };
}

/** For a server that crashes on indexes that look whole. */
export function salvageAllStep(
  indexes: readonly { segment: string; collection: string }[],
  reason: string,
): PlannedStep {
  const step = salvageIndexStep(indexes, reason, true);
  return { ...step, parameters: { ...step.parameters, whole: true } };
}

export function salvageIndexStep(
  torn: readonly { segment: string; collection: string }[],
  reason: string,
  isSecondChoice: boolean,
): PlannedStep {
  const names = torn.map(({ collection }) => collection).join(", ");
  return {
    action: "salvage-index",
    parameters: { reason, segments: torn.map(({ segment }) => segment) },
    title: `salvage the index of ${names}, on a copy`,
    changes: [
      "a repaired copy takes the data directory's place; the server builds the index anew from it",
      "the damaged data directory moves into quarantine, whole",
    ],
    risk: isSecondChoice ? "medium" : "low",
    costMs: 10_000,
    reversal: "undo",
  };
}

export function rewriteMagicStep(reason: string): PlannedStep {
  return {
    action: "rewrite-sqlite-magic",
    parameters: { reason },
    title: "write the first bytes of chroma.sqlite3 anew, on a copy",
    changes: [
      "16 bytes of chroma.sqlite3, in a copy that takes the data directory's place",
      "the damaged data directory moves into quarantine, whole",
    ],
    risk: "low",
    costMs: 1_000,
    reversal: "undo",
  };
}

export function mergeSurvivorsStep(reason: string): PlannedStep {
  return {
    action: "merge-survivors",
    parameters: { reason },
    title: "make chroma.sqlite3 anew from the rows that can still be read, on a copy",
    changes: [
      "records on unreadable pages are gone from the store, unless the mirror has them",
      "every vector index is built anew; the full-text index as well",
      "the damaged data directory moves into quarantine, whole",
    ],
    risk: "medium",
    costMs: 15_000,
    reversal: "undo",
  };
}

export function rebuildCollectionStep(collection: string, mirrored: number): PlannedStep {
  return {
    action: "rebuild-collection",
    parameters: {},
    title: `make the collection ${collection} anew from ${mirrored} memories of the mirror`,
    changes: [
      `${collection} is replaced by a new collection that compares equal with the mirror`,
      "the old one is kept under another name; what others wrote is carried over",
    ],
    risk: "low",
    costMs: 2_000 + mirrored,
    reversal: "nothing",
  };
}

export function restoreBackupStep(backup: string): PlannedStep {
  return {
    action: "restore-backup",
    parameters: {},
    title: `restore ${backup}, and replay what was written since`,
    changes: [
      "memories become those of the backup and of the outbox",
      "a damaged data directory moves into quarantine, whole",
    ],
    risk: "high",
    costMs: 60_000,
    reversal: "undo",
  };
}

export function moveOrphansStep(segments: readonly string[]): PlannedStep {
  return {
    action: "move-orphans-aside",
    parameters: { segments },
    title: `move ${segments.length} folders that belong to no collection aside`,
    changes: segments.map((segment) => `${segment} moves into quarantine`),
    risk: "low",
    costMs: 3_000,
    reversal: "nothing",
  };
}
