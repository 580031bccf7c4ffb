import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { BackupError } from "./backup-error.ts";
import { BackupFolder } from "./backup-folder.ts";
import type { Manifest } from "./manifest-schema.ts";
import { dataPathOf, readManifest } from "./manifest.ts";
import { retained, type Retention } from "./retention.ts";
import { syncDirectory } from "./safe-file.ts";
import { bytesOf, verifyBackup } from "./verify-backup.ts";

/** A backup that lies in a folder. */
export interface FoundBackup {
  path: string;
  id: string;
  kind: Manifest["kind"];
  /** Wall-clock milliseconds. */
  madeAt: number;
  /** Memories of the state that it restores. */
  memories: number;
  others: number;
  /** Of manifest and data. */
  bytes: number;
  partial: string | undefined;
  /** The id of the backup that it continues. */
  base: string | undefined;
  /** What is wrong with it, as far as its manifest and its data's size tell; undefined for nothing. */
  damage: string | undefined;
}

/** A manifest that cannot be read. */
export interface UnreadableBackup {
  path: string;
  damage: string;
}

export interface BackupFolderListing {
  /** Newest first. */
  backups: readonly FoundBackup[];
  unreadable: readonly UnreadableBackup[];
}

export interface PruneReport {
  removed: readonly FoundBackup[];
  kept: readonly FoundBackup[];
  /**
   * Of memories and of configurations, the newest that was read to its end and found good, a
   * complete one before a partial one: these are kept whatever is asked.
   */
  lastGood: readonly FoundBackup[];
  bytes: number;
}

/** The backups in a folder: none when there is no such folder. */
export function listBackups(folder: string): BackupFolderListing {
  const backups: FoundBackup[] = [];
  const unreadable: UnreadableBackup[] = [];
  for (const name of namesIn(folder)) {
    if (!/^[^.].*\.ya?ml$/i.test(name)) continue;
    const path = join(folder, name);
    try {
      backups.push(found(path, readManifest(path)));
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      unreadable.push({ path, damage: error.message });
    }
  }
  return { backups: withBases(backups).toSorted((a, b) => b.madeAt - a.madeAt), unreadable };
}

/** A backup is as good as what it continues. */
function withBases(backups: readonly FoundBackup[]): FoundBackup[] {
  const byId = new Map(backups.map((backup) => [backup.id, backup]));
  const known = new Map<string, boolean>();
  const isSound = (id: string): boolean => {
    const backup = byId.get(id);
    if (backup === undefined || backup.damage !== undefined) return false;
    if (backup.base === undefined) return true;
    const before = known.get(id);
    if (before !== undefined) return before;
    // Until it is known: no backup continues itself.
    known.set(id, false);
    known.set(id, isSound(backup.base));
    return known.get(id) === true;
  };
  return backups.map((backup) => ({
    ...backup,
    damage:
      backup.damage ??
      (isSound(backup.id) ? undefined : "what it continues is gone, damaged or another one by now"),
  }));
}

/**
 * Removes what the retention does not name, of memories and of configurations apart; never the
 * newest that verifies, nor one that a kept one needs. What cannot be read is left alone.
 * @throws BackupError `BACKUP_BUSY`.
 */
export async function pruneBackups(
  folder: string,
  retention: Retention,
  options: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<PruneReport> {
  const { backups } = listBackups(folder);
  const lastGood: FoundBackup[] = [];
  let removed: FoundBackup[] = [];
  for (const isConfiguration of [false, true]) {
    const some = backups.filter(({ kind }) => (kind === "configuration") === isConfiguration);
    const good = await newestGood(some, options.signal);
    // With nothing good in it, a folder is no place to clear.
    if (good === undefined) continue;
    lastGood.push(good);
    const keep = retained(some, retention, [good.id]);
    removed.push(...some.filter(({ id }) => !keep.has(id)));
  }
  if (options.dryRun !== true && removed.length > 0) {
    using _ = BackupFolder.open(folder);
    removed = removed.filter(isStillThere);
    for (const backup of removed) remove(backup);
    syncDirectory(folder);
  }
  const kept = backups.filter((backup) => !removed.includes(backup));
  const bytes = removed.reduce((sum, backup) => sum + backup.bytes, 0);
  return { removed, kept, lastGood, bytes };
}

async function newestGood(
  backups: readonly FoundBackup[],
  signal: AbortSignal | undefined,
): Promise<FoundBackup | undefined> {
  const completeFirst = backups.toSorted(
    (a, b) => Number(a.partial !== undefined) - Number(b.partial !== undefined),
  );
  for (const backup of completeFirst) {
    try {
      await verifyBackup(backup.path, signal === undefined ? {} : { signal });
      return backup;
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
    }
  }
  return undefined;
}

/** While others were read, another backup may have been written over it. */
function isStillThere({ path, id }: FoundBackup): boolean {
  try {
    return readManifest(path).id === id;
  } catch (error) {
    if (error instanceof BackupError) return false;
    throw error;
  }
}

/** The manifest goes first: data without one is no backup, but one without data is a broken one. */
function remove({ path }: FoundBackup): void {
  const manifest = readManifest(path);
  rmSync(path);
  if (manifest.data !== undefined) rmSync(dataPathOf(path, manifest), { force: true });
}

function found(path: string, manifest: Manifest): FoundBackup {
  const [collection] = manifest.collections;
  return {
    path,
    id: manifest.id,
    kind: manifest.kind,
    madeAt: Date.parse(manifest.created_at),
    memories: collection?.total ?? 0,
    others: collection?.others ?? 0,
    bytes: bytesOf({ path, manifest }),
    partial: manifest.partial,
    base: manifest.base?.id,
    damage: damageOf(path, manifest),
  };
}

function damageOf(path: string, manifest: Manifest): string | undefined {
  const { data } = manifest;
  if (data === undefined) return undefined;
  const size = statSync(dataPathOf(path, manifest), { throwIfNoEntry: false })?.size;
  if (size === undefined) return `its data ${data.file} is gone`;
  if (size !== data.bytes) return `its data has ${size} bytes instead of ${data.bytes}`;
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new BackupError(`${folder} cannot be read: ${(error as Error).message}`, {
      code: "BACKUP_NOT_FOUND",
      hint: "Correct backup.directory, or the folder's permissions.",
      cause: error,
    });
  }
}
