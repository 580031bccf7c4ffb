import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

/**
 * - `BACKUP_INVALID`: a file is not what its manifest says, or not a backup; nothing was changed
 * - `BACKUP_NOT_FOUND`
 * - `BACKUP_EXISTS`: a file of that name is there already
 * - `BACKUP_FAILED`: the disk refused while it was written
 * - `BACKUP_BUSY`: another backup is being written to, or pruned from, the same folder, or memories
 *   were restored while they were backed up
 * - `BACKUP_SCHEDULE_INVALID`: not a cron expression
 * - `RESTORE_REFUSED`: it would lose something, or the target is not what it was; nothing was changed
 * - `RESTORE_UNDO_MISSING`: no previous state is kept
 * - `POINT_IN_TIME_UNAVAILABLE`: the writes up to that time cannot be replayed on that backup
 * - `DRILL_FAILED`: what was restored into scratch differs from the backup
 */
export type BackupErrorCode =
  | "BACKUP_INVALID"
  | "BACKUP_NOT_FOUND"
  | "BACKUP_EXISTS"
  | "BACKUP_FAILED"
  | "BACKUP_BUSY"
  | "BACKUP_SCHEDULE_INVALID"
  | "RESTORE_REFUSED"
  | "RESTORE_UNDO_MISSING"
  | "POINT_IN_TIME_UNAVAILABLE"
  | "DRILL_FAILED";

export class BackupError extends HoldfastError {
  override name = "BackupError";
  declare readonly code: BackupErrorCode;

  /** Narrows the code to {@link BackupErrorCode}. */
  // oxlint-disable-next-line no-useless-constructor -- its parameter's type is the use
  constructor(message: string, options: HoldfastErrorOptions & { code: BackupErrorCode }) {
    super(message, options);
  }
}

/** `path` is not the backup that it says it is. */
export function invalid(path: string, what: string, cause?: unknown): BackupError {
  return new BackupError(`${path}: ${what}`, {
    code: "BACKUP_INVALID",
    hint: "Nothing was changed. Use another backup: holdfast memory backup list",
    ...(cause === undefined ? {} : { cause }),
  });
}
