import type { Database } from "@holdfast/sqlite";
import { checksumOf, type MemoryContent } from "../record-codec.ts";
import { BackupError } from "./backup-error.ts";
import type { ForgottenLine, MemoryLine, OtherLine } from "./backup-line.ts";
import { readData } from "./data-file.ts";
import type { ForgottenIds } from "./forgotten-ids.ts";
import { lineagesOf, prunedUpTo } from "./lineage.ts";
import { dataPathOf } from "./manifest.ts";
import type { ManifestCollection, ManifestData } from "./manifest-schema.ts";
import { type ChainLink, LineCensus } from "./verify-backup.ts";

/** Takes in what a backup says, in order; the last word on an id counts. */
export interface TargetSink {
  put(lines: readonly MemoryLine[]): void;
  remove(ids: readonly string[]): void;
  forgotten(lines: readonly ForgottenLine[]): void;
  /** So many memories of the backup were forgotten since, and are left out. */
  skipped(count: number): void;
}

interface TargetDeps {
  db: Database;
  collection: number;
  forgottenIds: ForgottenIds;
}

const REPLAY_BATCH = 500;

/** The collection that a backup holds; its chain's last word. */
export function collectionOf(chain: readonly ChainLink[]): ManifestCollection {
  const { path, manifest } = chain.at(-1) as ChainLink;
  const [collection] = manifest.collections;
  if (collection !== undefined) return collection;
  throw new BackupError(`${path} holds no memories`, {
    code: "RESTORE_REFUSED",
    hint: "Restore its configuration with: holdfast memory restore FILE --config-only",
  });
}

/** When the state was taken, wall-clock milliseconds. */
export const takenAt = ({ manifest }: ChainLink): number => Date.parse(manifest.created_at);

/**
 * Feeds the state of a backup to `sink`: the full one, what each incremental one changed, and up
 * to `toTime` the writes that this machine accepted since. What was forgotten stays away. Whatever
 * `sink` makes of it is void when this throws: a file is only known to be sound at its end.
 * @throws BackupError `BACKUP_INVALID`, `BACKUP_NOT_FOUND`.
 */
export async function feedTarget(
  chain: readonly ChainLink[],
  toTime: number | undefined,
  sink: TargetSink,
  deps: TargetDeps,
  options: { signal?: AbortSignal; onLines?: (lines: number) => void },
): Promise<void> {
  for (const link of chain) {
    const at = takenAt(link);
    const path = dataPathOf(link.path, link.manifest);
    const data = link.manifest.data as ManifestData;
    const census = new LineCensus(path, link.manifest);
    for await (const lines of readData(path, data, options.signal)) {
      census.see(lines);
      const forgotten = lines.filter((line) => line.t === "forgotten");
      if (forgotten.length > 0) sink.forgotten(forgotten);
      deps.forgottenIds.renew();
      const memories = lines.filter((line) => line.t === "memory");
      const kept = memories.filter(
        ({ id, revision }) => !deps.forgottenIds.isForgottenSince(id, revision, at),
      );
      sink.skipped(memories.length - kept.length);
      sink.put(kept);
      sink.remove(lines.filter((line) => line.t === "removed").map(({ id }) => id));
      options.onLines?.(lines.length);
    }
    census.requireComplete();
  }
  if (toTime !== undefined) replay(chain, toTime, sink, deps);
}

/** The other programs' records: those of the last backup that saw all of them. */
export async function* otherRecords(
  chain: readonly ChainLink[],
  forgottenIds: ForgottenIds,
  signal: AbortSignal | undefined,
): AsyncGenerator<OtherLine[]> {
  const link =
    chain.findLast(({ manifest }) => manifest.collections[0]?.others_complete) ?? chain.at(-1);
  if (link === undefined || link.manifest.collections[0]?.others === 0) return;
  const path = dataPathOf(link.path, link.manifest);
  const data = link.manifest.data as ManifestData;
  for await (const lines of readData(path, data, signal)) {
    // Another program's record has no revision of ours: only the time can say.
    const others = lines.filter(
      (line): line is OtherLine =>
        line.t === "other" &&
        !forgottenIds.isForgottenSince(line.id, Number.MAX_SAFE_INTEGER, takenAt(link)),
    );
    if (others.length > 0) yield others;
  }
}

/** How many other programs' records {@link otherRecords} gives at most. */
export function othersCount(chain: readonly ChainLink[]): number {
  const complete = chain.findLast(({ manifest }) => manifest.collections[0]?.others_complete);
  return (complete ?? chain.at(-1))?.manifest.collections[0]?.others ?? 0;
}

/**
 * Whether this machine still knows every write between a backup and `toTime`.
 * @throws BackupError `POINT_IN_TIME_UNAVAILABLE`.
 */
export function requireReplayable(
  chain: readonly ChainLink[],
  toTime: number,
  { db, collection }: Pick<TargetDeps, "db" | "collection">,
): void {
  const { lineage, watermark } = collectionOf(chain);
  const at = takenAt(chain.at(-1) as ChainLink);
  if (toTime < at)
    throw unavailable(
      `the backup is of ${iso(at)}, later than ${iso(toTime)}`,
      "Take an earlier backup: holdfast memory backup list",
    );
  const lineages = lineagesOf(db, collection);
  const index = lineages.findIndex((known) => known.lineage === lineage);
  if (index === -1)
    throw unavailable(
      "the backup was made by another memory, or before this one was salvaged",
      "Restore it without --to-time.",
    );
  const next = lineages[index + 1];
  if (next !== undefined && toTime >= next.at)
    throw unavailable(
      `memories were restored at ${iso(next.at)}, between the backup and ${iso(toTime)}`,
      "Take a backup that was made after that: holdfast memory backup list",
    );
  if (prunedUpTo(db, collection) > watermark.write)
    throw unavailable(
      "writes since then are no longer kept",
      "Take a later backup, and keep more with outbox.kept_records_max and kept_bytes_max.",
    );
}

function replay(
  chain: readonly ChainLink[],
  toTime: number,
  sink: TargetSink,
  { db, collection }: TargetDeps,
): void {
  const { watermark, lineage } = collectionOf(chain);
  const lineages = lineagesOf(db, collection);
  const next = lineages[lineages.findIndex((known) => known.lineage === lineage) + 1];
  const select = db.prepare(
    `SELECT seq, id, revision, operation, payload FROM entry
     WHERE collection = ? AND seq > ? AND seq <= ? AND accepted_at <= ? AND state <> 'dead'
     ORDER BY seq LIMIT ?`,
  );
  const end = next?.fromSeq ?? Number.MAX_SAFE_INTEGER;
  for (let after = watermark.write; ;) {
    const rows = select.all(collection, after, end, toTime, REPLAY_BATCH) as unknown as Replayed[];
    for (const { id, revision, operation, payload } of rows) {
      if (operation === "forget") sink.remove([id]);
      // A write without payload was forgotten since.
      else if (payload !== null) sink.put([lineOf(id, revision, payload)]);
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

interface Replayed {
  seq: number;
  id: string;
  revision: number;
  operation: "put" | "forget";
  payload: string | null;
}

function lineOf(id: string, revision: number, payload: string): MemoryLine {
  const content = JSON.parse(payload) as MemoryContent;
  return { t: "memory", id, revision, content, checksum: checksumOf(content), vector: undefined };
}

const iso = (at: number): string => new Date(at).toISOString();

function unavailable(why: string, hint: string): BackupError {
  return new BackupError(`The state of that time cannot be made: ${why}`, {
    code: "POINT_IN_TIME_UNAVAILABLE",
    hint,
  });
}
