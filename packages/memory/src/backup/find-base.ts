import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Journal } from "../journal.ts";
import type { StoreAccess } from "../store-access.ts";
import { BackupError } from "./backup-error.ts";
import { BackupLog } from "./backup-log.ts";
import { dataPathOf } from "./manifest.ts";
import { type ChainLink, readChain } from "./verify-backup.ts";

/** The last backup of this history in the same folder, or why there is none to continue. */
export function findBase(
  path: string,
  lineage: string,
  { journal, access }: { journal: Journal; access: StoreAccess },
): { base: ChainLink | undefined; because: string | undefined } {
  const logged = new BackupLog(journal.working.db, journal.collection)
    .list()
    .filter((backup) => dirname(backup.path) === dirname(path) && backup.path !== path);
  let because = "there is no earlier one in that folder";
  for (const { path: basePath, id } of logged) {
    const chain = soundChain(basePath);
    const manifest = chain?.at(-1)?.manifest;
    const [collection] = manifest?.collections ?? [];
    if (manifest?.id !== id || collection?.name !== access.collection) {
      because = "the last one is gone or damaged";
    } else if (chain?.some((link) => link.path === path)) {
      because = "the last one continues the one that is replaced";
    } else if (collection.lineage === lineage) {
      return { base: { path: basePath, manifest }, because: undefined };
    } else {
      return { base: undefined, because: "memories were restored or salvaged since the last one" };
    }
  }
  return { base: undefined, because };
}

/** A backup and all that it continues, if they look whole: their data is read when it is verified. */
function soundChain(path: string): ChainLink[] | undefined {
  try {
    const chain = readChain(path);
    return chain.every((link) => hasItsData(link)) ? chain : undefined;
  } catch (error) {
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}

/** Whether the data of a backup is there, by its size. */
export function hasItsData({ path, manifest }: ChainLink): boolean {
  const data = statSync(dataPathOf(path, manifest), { throwIfNoEntry: false });
  return data?.size === manifest.data?.bytes;
}
