import { Cron } from "croner";
import { BackupError } from "./backup-error.ts";

/**
 * When a cron expression is next due after a moment; both wall-clock milliseconds, in the local
 * time zone unless `timeZone` names another. Undefined for one that is never due again.
 * @throws BackupError `BACKUP_SCHEDULE_INVALID`.
 */
export function dueAt(cron: string, afterMs: number, timeZone?: string): number | undefined {
  try {
    const options = timeZone === undefined ? {} : { timezone: timeZone };
    return new Cron(cron, { paused: true, ...options }).nextRun(new Date(afterMs))?.getTime();
  } catch (error) {
    throw new BackupError(`Not a schedule: ${JSON.stringify(cron)} (${(error as Error).message})`, {
      code: "BACKUP_SCHEDULE_INVALID",
      hint: 'Write a cron expression, such as "0 3 * * *" for every night at three.',
      cause: error,
    });
  }
}
