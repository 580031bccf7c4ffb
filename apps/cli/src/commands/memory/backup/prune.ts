import type { Command } from "commander";
import { listBackups, pruneBackups, type PruneReport } from "@holdfast/memory";
import { formatBytes } from "../../../backup/backup-text.ts";
import { retentionOf } from "../../../backup/scheduled-backups.ts";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { printable } from "../../../output.ts";
import { counted } from "../../../counted.ts";

interface PruneOptions {
  dryRun?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--dry-run", "only say what would be removed")
    .option("--yes", "do not ask")
    .action((options: PruneOptions) => prune(options, context));
  example(command, [
    "holdfast memory backup prune --dry-run",
    "holdfast memory backup prune --yes",
  ]);
}

async function prune(options: PruneOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const loaded = context.config();
  const { directory } = loaded.config.backup;
  const retention = retentionOf(loaded);
  for (const { path, damage } of listBackups(directory).unreadable)
    output.warn(`left alone: ${path}: ${damage}`);
  const planned = await pruneBackups(directory, retention, { dryRun: true, signal });
  if (planned.lastGood.length === 0 && planned.kept.length > 0)
    output.warn("no backup there verifies, so none is removed");
  const dryRun = options.dryRun === true;
  const nothing = planned.removed.length === 0;
  const question = `Remove ${counted(planned.removed.length, "backup")} (${formatBytes(planned.bytes)})?`;
  if (dryRun || nothing || !(await context.confirm(question, options))) {
    output.result({ ...planned, dryRun: true }, text(planned, true));
    return;
  }
  const report = await pruneBackups(directory, retention, { signal });
  output.result({ ...report, dryRun: false }, text(report, false));
}

function text({ removed, kept, bytes }: PruneReport, dryRun: boolean): string {
  if (removed.length === 0) return `Nothing to remove; ${counted(kept.length, "backup")} kept.`;
  const head = dryRun ? "Would remove" : "Removed";
  return [
    `${head} ${counted(removed.length, "backup")}, ${formatBytes(bytes)}; ${kept.length} kept:`,
    ...removed.map(({ path }) => `  ${printable(path)}`),
  ].join("\n");
}
