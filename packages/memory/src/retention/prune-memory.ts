import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import { MEMORY_DEFAULTS } from "../memory-options.ts";
import { Journal } from "../journal.ts";
import type { Memory } from "../memory.ts";
import type { MirrorRow } from "../mirror-row.ts";
import type { SyncTarget } from "../sync/sync-memory.ts";
import { endOf, type Lifecycle } from "./lifecycle.ts";
import { MemoryArchive } from "./memory-archive.ts";

export interface RetentionOptions {
  /** Only say what would be pruned. Default false. */
  dryRun?: boolean;
  /** Where pruned memories are written to before they are forgotten. Default: nowhere. */
  archiveFolder?: string;
  signal?: AbortSignal;
}

export interface RetentionReport {
  /** Memories that were looked at. */
  checked: number;
  /** Pruned, or with `dryRun` to be pruned, because their own ttl has ended. */
  expired: number;
  /** Because a rule or the default says so. */
  aged: number;
  /** Of the ids of both, the first. */
  sample: readonly string[];
  /** Due, but written again while others were pruned: they stay. */
  renewed: number;
  /** The file that holds what was pruned; undefined when nothing was archived. */
  archive: string | undefined;
  /** Why the store has not forgotten all of them yet; undefined when it has. */
  reason: string | undefined;
}

const BATCH = 500;
const SAMPLE_MAX = 20;

/**
 * Forgets what has been kept long enough, by a lifecycle, through `memory`; archives it first
 * where a folder is given. Records of other programs are never pruned.
 * @throws HoldfastError `ARCHIVE_FAILED`, and nothing that it could not write was forgotten; what
 * `memory.forget` throws.
 */
export async function pruneMemory(
  { stateDirectory, collection }: SyncTarget,
  lifecycle: Lifecycle,
  { memory, clock = systemClock }: { memory: Memory; clock?: Clock },
  options: RetentionOptions = {},
): Promise<RetentionReport> {
  const now = clock.now();
  const { archiveFolder, signal } = options;
  const journal = Journal.open(stateDirectory, collection, MEMORY_DEFAULTS.outbox, undefined);
  using archive =
    archiveFolder === undefined ? undefined : new MemoryArchive(archiveFolder, collection, now);
  const sample: string[] = [];
  const report = { checked: 0, expired: 0, aged: 0, renewed: 0 };
  let reason: string | undefined;
  const forget = async (rows: readonly MirrorRow[]): Promise<void> => {
    signal?.throwIfAborted();
    const gone = options.dryRun === true ? rows : await forgetRows(rows);
    for (const { id, content } of gone) {
      if (content.expiresAt === undefined) report.aged += 1;
      else report.expired += 1;
      if (sample.length < SAMPLE_MAX) sample.push(id);
    }
    report.renewed += rows.length - gone.length;
  };
  const forgetRows = async (rows: readonly MirrorRow[]): Promise<MirrorRow[]> => {
    archiving(archive, rows);
    const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
    const result = await memory.forget([...revisions.keys()], {
      revisions,
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.durability !== "stored") reason ??= result.reason;
    const ids = new Set(result.ids);
    return rows.filter(({ id }) => ids.has(id));
  };
  try {
    let due: MirrorRow[] = [];
    for (const row of journal.mirror.rows()) {
      report.checked += 1;
      if ((endOf(row.content, lifecycle) ?? Number.POSITIVE_INFINITY) > now) continue;
      due.push(row);
      if (due.length < BATCH) continue;
      await forget(due);
      due = [];
    }
    if (due.length > 0) await forget(due);
  } finally {
    journal.close();
  }
  const archived = options.dryRun !== true && report.expired + report.aged > 0;
  return { ...report, sample, reason, archive: archived ? archive?.path : undefined };
}

function archiving(archive: MemoryArchive | undefined, rows: readonly MirrorRow[]): void {
  try {
    archive?.keep(rows);
  } catch (error) {
    throw new HoldfastError(`The archive cannot be written: ${(error as Error).message}`, {
      code: "ARCHIVE_FAILED",
      hint: "Make lifecycle.archive a folder that you can write to, with some free space.",
      cause: error,
    });
  }
}
