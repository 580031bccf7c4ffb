import { existsSync } from "node:fs";
import type { BackupPort } from "@holdfast/chroma";
import type { LoggedBackup } from "@holdfast/memory";
import { moment } from "../memory-text.ts";
import { type Parts, withBackupsOver } from "../wire.ts";
import { counted } from "../counted.ts";

/** The last complete backup of a memory, as a repair may use it. */
export function backupPort(parts: Parts): BackupPort {
  const last = (): Promise<LoggedBackup | undefined> =>
    withBackupsOver(parts, (backups) =>
      backups.list().find(({ partial, path }) => partial === null && existsSync(path)),
    );
  return {
    async describe() {
      const backup = await last();
      return (
        backup && `the backup of ${moment(backup.madeAt)} (${counted(backup.memories, "memory")})`
      );
    },
    async restore(signal) {
      const backup = await last();
      if (backup === undefined) throw new TypeError("There was a backup when this was planned");
      return withBackupsOver(parts, async (backups) => {
        // Up to now: nothing that was accepted since is lost.
        const plan = await backups.plan(backup.path, { toTime: Date.now(), signal });
        const report = await backups.restore(plan, { signal });
        const others =
          report.others === 0 ? "" : ` and ${counted(report.others, "record")} of other programs`;
        return `${counted(report.memories, "memory")}${others} restored from ${backup.path} and the outbox`;
      });
    },
  };
}
