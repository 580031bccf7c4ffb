import { existsSync } from "node:fs";
import type { LoadedConfig } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { MemoryRecord } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";
import type { Context } from "../context.ts";
import { KeeperReload } from "../deploy/keeper-reload.ts";
import { workspaceOf } from "../workspace.ts";
import { filesWith } from "./search-files.ts";

export interface PurgeReport {
  /** Whether Chroma's own files were compacted; false where Holdfast does not run it. */
  compacted: boolean;
  /** Copies of the collection that rebuilds and restores keep, where the ids were deleted too. */
  collections: readonly string[];
  /** Files in which something of it can still be read. */
  remains: readonly Remains[];
  /** Backups made since the oldest of the memories: they hold it, compressed, until pruned. */
  backups: readonly string[];
  /**
   * How many texts the files were searched for: the first, when there are many, none that are too
   * short, and none of what was forgotten earlier, whose text nobody knows any more.
   */
  searchedFor: number;
}

export interface Remains {
  path: string;
  what: "chroma" | "quarantine" | "damaged" | "archive" | "state";
}

/** Texts are searched by their beginning: a file may hold the rest apart from it. */
const NEEDLE_BYTES = 48;
const NEEDLE_BYTES_MIN = 6;
const NEEDLES_MAX = 200;

/** Deletes ids from the copies of a collection that were kept; returns those copies' names. */
export async function purgeCopies(
  store: VectorStore,
  collection: string,
  ids: readonly string[],
): Promise<string[]> {
  const { batchRecordsMax } = store.limits;
  const names = (await store.listCollections())
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${collection}--`));
  for (const name of names) {
    const copy = await store.openCollection(name);
    for (let at = 0; at < ids.length; at += batchRecordsMax)
      await copy.delete(ids.slice(at, at + batchRecordsMax));
  }
  return names;
}

/**
 * Takes what was forgotten out of the files of a managed Chroma, which is stopped for it and then
 * runs as before. False where Chroma runs elsewhere.
 */
export async function compactManaged(
  loaded: LoadedConfig,
  ids: readonly string[],
  context: Context,
): Promise<boolean> {
  const { dataDirectory } = workspaceOf(loaded);
  if (dataDirectory === undefined) return false;
  const [{ compactDirectory, statePathsOf }, { KernelLock }] = await Promise.all([
    import("@holdfast/chroma"),
    import("@holdfast/sqlite"),
  ]);
  const keeper = new KeeperReload(loaded, context);
  await keeper.end();
  {
    using lock = KernelLock.tryAcquire(statePathsOf(dataDirectory).keeperLock);
    if (lock === undefined)
      throw new HoldfastError("Chroma was started again meanwhile; its files were not compacted", {
        code: "SERVER_LOCKED",
        retryable: true,
        hint: "Run it again: holdfast memory forget ID --purge",
      });
    compactDirectory(dataDirectory, ids);
  }
  await keeper.restart(loaded);
  return true;
}

/** Takes out what was recorded of the decisions of policies on them. */
export async function purgeEvents(loaded: LoadedConfig, ids: readonly string[]): Promise<void> {
  const [{ dropEventsAbout }, { placeOfPolicies }] = await Promise.all([
    import("@holdfast/policy"),
    import("../policy/policy-place.ts"),
  ]);
  dropEventsAbout(placeOfPolicies(workspaceOf(loaded)).eventsFile, ids);
}

/** What can still be read of memories in the files that Holdfast knows of, and their backups. */
export async function findRemains(
  loaded: LoadedConfig,
  memories: readonly MemoryRecord[],
): Promise<Pick<PurgeReport, "remains" | "backups" | "searchedFor">> {
  const needles = needlesOf(memories);
  const { dataDirectory, stateDirectory, config } = workspaceOf(loaded);
  const archive = config.lifecycle.archive;
  const folders = [
    ...(dataDirectory === undefined ? [] : [{ folder: dataDirectory, what: "chroma" as const }]),
    { folder: stateDirectory, what: "state" as const },
    ...(archive === undefined ? [] : [{ folder: archive, what: "archive" as const }]),
  ];
  const remains = folders.flatMap(({ folder, what }) =>
    (needles.length === 0 ? [] : filesWith(folder, needles)).map((path) => ({
      path,
      what: kindOf(path, what),
    })),
  );
  const searchedFor = searchable(memories).length;
  return { remains, backups: await backupsOf(loaded, memories), searchedFor };
}

/** Those in the configured folder, and those that were written elsewhere from here. */
async function backupsOf(
  loaded: LoadedConfig,
  memories: readonly MemoryRecord[],
): Promise<string[]> {
  const [{ listBackups }, { withBackupLog }] = await Promise.all([
    import("@holdfast/memory"),
    import("../wire.ts"),
  ]);
  const workspace = workspaceOf(loaded);
  const found = listBackups(workspace.config.backup.directory).backups.filter(
    ({ kind }) => kind !== "configuration",
  );
  const logged = await withBackupLog(workspace, (backups) =>
    backups.list().filter(({ path }) => existsSync(path)),
  );
  // Of what was forgotten earlier nobody knows any more when it was written.
  const since = memories.length === 0 ? 0 : Math.min(...memories.map(({ createdAt }) => createdAt));
  const holding = [...found, ...logged].filter(({ madeAt }) => madeAt >= since);
  return [...new Set(holding.map(({ path }) => path))];
}

/** The texts that are searched for: not those that are too short to be told from others. */
function searchable(memories: readonly MemoryRecord[]): string[] {
  return memories
    .map(({ text }) => text)
    .filter((text) => Buffer.byteLength(text) >= NEEDLE_BYTES_MIN)
    .slice(0, NEEDLES_MAX);
}

/** The beginnings of the texts, as they are and as JSON has them: so archives and queues do. */
function needlesOf(memories: readonly MemoryRecord[]): Buffer[] {
  const texts = searchable(memories);
  const written = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return [...new Set(written)].map((text) => Buffer.from(text).subarray(0, NEEDLE_BYTES));
}

function kindOf(path: string, what: Remains["what"]): Remains["what"] {
  if (what !== "state") return what;
  if (path.includes("/quarantine/")) return "quarantine";
  return path.includes("/damaged/") ? "damaged" : "state";
}
