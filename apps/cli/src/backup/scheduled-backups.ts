import { join } from "node:path";
import type { LoadedConfig } from "@holdfast/config";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import type { Backups } from "@holdfast/memory";
import type { Context } from "../context.ts";
import { type Parts, withBackupsOver } from "../wire.ts";
import { configurationOf, policiesOf } from "./attachments.ts";
import { counted } from "../counted.ts";

/** After one that failed: sooner than a schedule of days would have it. */
const RETRY_MS = 300_000;
/** A timer takes no more; a clock that was set is noticed. */
const SLEEP_MS_MAX = 60_000;

/** The name of a backup that nobody named. */
export function newBackupPath(directory: string, kind: "memories" | "configuration"): string {
  return join(directory, `${kind}-${new Date().toISOString().replaceAll(":", "-")}.yaml`);
}

/** @throws BackupError `BACKUP_SCHEDULE_INVALID` before anything is begun. */
export async function requireSchedule({ config }: LoadedConfig): Promise<void> {
  const { schedule } = config.backup;
  if (schedule === undefined) return;
  const { dueAt } = await import("@holdfast/memory");
  dueAt(schedule, Date.now());
}

/**
 * Backs up when `backup.schedule` says so, until the signal aborts, and prunes after each. One that
 * was missed, with the machine off, is made at once. Without a schedule it does nothing.
 */
export async function runScheduledBackups(
  parts: Parts,
  context: Context,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const loaded = context.config();
  const { schedule } = loaded.config.backup;
  if (schedule === undefined) return;
  const { dueAt } = await import("@holdfast/memory");
  const { last } = parts.memory.status().backups;
  await keepSchedule(
    {
      dueAfter: (at) => dueAt(schedule, at),
      backUp: () => withBackupsOver(parts, (backups) => backUpAndPrune(backups, loaded, signal)),
      note,
      clock: systemClock,
    },
    last?.madeAt,
    signal,
  );
}

export interface ScheduleDeps {
  /** When the next one is due after a moment, in wall-clock milliseconds; undefined for never. */
  dueAfter: (at: number) => number | undefined;
  /** Makes one, and says so. */
  backUp: () => Promise<string>;
  note: (line: string) => void;
  clock: Clock;
}

/** Until the signal aborts, or nothing is due any more; `last` is when the last one was made. */
export async function keepSchedule(
  { dueAfter, backUp, note, clock }: ScheduleDeps,
  last: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const rest = async (ms: number): Promise<void> => {
    await clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  };
  for (let since = last ?? clock.now(); !signal.aborted;) {
    // A clock that was ahead, and is set right, must not put the next one off until then.
    since = Math.min(since, clock.now());
    const due = dueAfter(since);
    if (due === undefined) return;
    const waitMs = due - clock.now();
    if (waitMs > 0) {
      await rest(Math.min(waitMs, SLEEP_MS_MAX));
      continue;
    }
    try {
      note(await backUp());
      since = clock.now();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HoldfastError)) throw error;
      note(`The scheduled backup failed, and is tried again in 5 min: ${error.message}`);
      await rest(RETRY_MS);
    }
  }
}

async function backUpAndPrune(
  backups: Backups,
  loaded: LoadedConfig,
  signal: AbortSignal,
): Promise<string> {
  const { pruneBackups } = await import("@holdfast/memory");
  const { directory, compression, include_policies: withPolicies } = loaded.config.backup;
  const configuration = configurationOf(loaded);
  const report = await backups.backup({
    output: newBackupPath(directory, "memories"),
    compression,
    createdBy: "holdfast",
    ...(configuration === undefined ? {} : { configuration }),
    ...(withPolicies ? { policies: policiesOf(loaded) } : {}),
    signal,
  });
  const { removed } = await pruneBackups(directory, retentionOf(loaded), { signal });
  const partial = report.partial === undefined ? "" : `, partial: ${report.partial}`;
  const pruned = removed.length === 0 ? "" : `; ${removed.length} older ones removed`;
  return `Backed up ${counted(report.memories, "memory")}${partial}${pruned}: ${report.path}`;
}

/** What `backup.keep_*` says. */
export function retentionOf({ config }: LoadedConfig): {
  last: number;
  daily: number;
  weekly: number;
  monthly: number;
} {
  const { keep_last: last, keep_daily, keep_weekly, keep_monthly } = config.backup;
  return { last, daily: keep_daily, weekly: keep_weekly, monthly: keep_monthly };
}
