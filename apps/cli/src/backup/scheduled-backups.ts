import { join } from "node:path";
import type { LoadedConfig } from "@holdfast/config";
import { HoldfastError, systemClock } from "@holdfast/core";
import type { Backups } from "@holdfast/memory";
import type { Context } from "../context.ts";
import { type Parts, withBackupsOver } from "../wire.ts";
import { configurationOf, policiesOf } from "./attachments.ts";
import { memories } from "./backup-text.ts";

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
  let due = dueAt(schedule, last?.madeAt ?? Date.now());
  while (due !== undefined && !signal.aborted) {
    const waitMs = due - Date.now();
    if (waitMs > 0) {
      await systemClock.sleep(Math.min(waitMs, SLEEP_MS_MAX), signal).catch(() => undefined);
      continue;
    }
    try {
      note(await withBackupsOver(parts, (backups) => backUpAndPrune(backups, loaded, signal)));
      due = dueAt(schedule, Date.now());
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HoldfastError)) throw error;
      note(`The scheduled backup failed, and is tried again in 5 min: ${error.message}`);
      due = Date.now() + RETRY_MS;
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
  return `Backed up ${memories(report.memories)}${partial}${pruned}: ${report.path}`;
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
