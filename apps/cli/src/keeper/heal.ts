import {
  CANARY_COLLECTION,
  type CollectionContent,
  type Finding,
  inspectDataDirectory,
  quarantine,
} from "@holdfast/chroma";
import { HoldfastError } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import { StoreError, type VectorStore } from "@holdfast/store";
import type { KeeperLogger } from "./keeper-log.ts";

const LISTED_MAX = 20;

/**
 * Looks for damage before a server is started. A damaged directory is moved aside, whole, if the
 * mirror can bring back everything in it; the caller then starts on an empty one and rebuilds.
 * Returns whether it was.
 * @throws HoldfastError `HEAL_REFUSED` when something would be lost, naming it. Nothing is
 * changed then.
 */
export async function moveAsideIfDamaged(
  dataDirectory: string,
  memory: Memory,
  logger: KeeperLogger,
): Promise<boolean> {
  const { findings, damaged, collections } = inspectDataDirectory(dataDirectory);
  if (!damaged) return false;
  logger.warn({ findings }, "the data directory is damaged");
  const reason = findings.map(describe).join("; ");
  if (collections === undefined) {
    throw refused(dataDirectory, reason, "its catalogue cannot be read to say what it held");
  }
  const losses = collections.flatMap((collection) => lossesOf(collection, memory));
  if (losses.length > 0) {
    const more = losses.length > LISTED_MAX ? ` and ${losses.length - LISTED_MAX} more` : "";
    const list = losses.slice(0, LISTED_MAX).join(", ");
    throw refused(dataDirectory, reason, `only it holds ${list}${more}`);
  }
  const { folder } = quarantine(dataDirectory, { reason, evidence: findings });
  logger.warn({ folder, reason }, "the damaged data directory was moved aside");
  return true;
}

/**
 * Rebuilds the collection from the mirror when the store has lost it, as after a move aside, the
 * loss of the directory, or a rebuild that was cut off. Returns whether it did.
 */
export async function rebuildIfLost(
  store: VectorStore,
  memory: Memory,
  logger: KeeperLogger,
  signal: AbortSignal,
): Promise<boolean> {
  const { collection, mirrored, ledger, others } = memory.status();
  if ((mirrored === 0 || ledger.stored === 0) && others.held === 0) return false;
  try {
    await store.openCollection(collection, { signal });
    return false;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "COLLECTION_NOT_FOUND") throw error;
  }
  logger.warn({ collection, mirrored }, "the store has lost the collection; rebuilding it");
  const report = await memory.rebuild({ signal });
  logger.info({ ...report }, "the collection was rebuilt from the mirror and compares equal");
  return true;
}

/** `collection/id` of everything that a rebuild from the mirror would not bring back. */
function lossesOf({ name, ids }: CollectionContent, memory: Memory): string[] {
  const own = memory.status().collection;
  // What we made ourselves, from the mirror or for a moment, can go.
  if (name === CANARY_COLLECTION || name.startsWith(`${own}--`)) return [];
  const lost = name === own ? memory.unmirrored(ids) : [...ids];
  return lost.map((id) => `${name}/${id}`);
}

function describe(finding: Finding): string {
  if (finding.kind === "torn-index") {
    return `the index of ${finding.collection} is torn: ${finding.detail}`;
  }
  if (finding.kind === "orphan-segments") {
    return `${finding.segments.length} folders belong to no collection`;
  }
  return finding.detail;
}

function refused(dataDirectory: string, reason: string, why: string): HoldfastError {
  return new HoldfastError(
    `${dataDirectory} is damaged (${reason}), and was left as it is because ${why}`,
    {
      code: "HEAL_REFUSED",
      hint: "Copy the directory, then move it away or restore it; memories are still accepted.",
    },
  );
}
