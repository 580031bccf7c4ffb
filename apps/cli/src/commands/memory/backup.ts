import { resolve } from "node:path";
import type { Command } from "commander";
import type { BackupReport } from "@holdfast/memory";
import { configurationOf, policiesOf } from "../../backup/attachments.ts";
import { formatBytes, took } from "../../backup/backup-text.ts";
import { newBackupPath } from "../../backup/scheduled-backups.ts";
import { progressTeller } from "../../backup/tell-progress.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { usage } from "../../selection.ts";
import { withBackups } from "../../wire.ts";
import { counted } from "../../counted.ts";

interface BackupOptions {
  output?: string;
  includePolicies?: boolean;
  configOnly?: boolean;
  incremental?: boolean;
  force?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--output <file>", "its manifest, a .yaml; default: a new one in backup.directory")
    .option("--include-policies", "the policies as well")
    .option("--config-only", "only configuration and policies, no memories")
    .option("--incremental", "only what changed since the last one in the same folder")
    .option("--force", "replace a backup of that name")
    .action((options: BackupOptions) => backup(options, context));
  example(command, [
    "holdfast memory backup",
    "holdfast memory backup --output /mnt/backups/memories.yaml --include-policies",
    "holdfast memory backup verify .holdfast/backups/memories-2026-11-22T03-00-00Z.yaml --drill",
  ]);
}

async function backup(options: BackupOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const loaded = context.config();
  const { directory, compression, include_policies: always } = loaded.config.backup;
  const path = pathOf(options, directory, context);
  if (options.configOnly && options.incremental)
    throw usage("--config-only has nothing to be incremental about", "Leave one of them out.");
  const configuration = configurationOf(loaded);
  for (const secret of configuration?.secrets ?? [])
    output.warn(`${secret} is a secret, and not part of the backup`);
  const withPolicies = (options.includePolicies ?? false) || always || options.configOnly === true;
  const progress = progressTeller(output);
  const report = await withBackups(context, async (backups) =>
    backups.backup({
      output: path,
      compression,
      overwrite: options.force === true,
      incremental: options.incremental === true,
      configurationOnly: options.configOnly === true,
      createdBy: "holdfast",
      ...(configuration === undefined ? {} : { configuration }),
      ...(withPolicies ? { policies: policiesOf(loaded) } : {}),
      onProgress: progress.onProgress,
      signal,
    }),
  );
  progress.done();
  if (report.fullBecause !== undefined) output.warn(`a full backup, since ${report.fullBecause}`);
  if (report.partial !== undefined) {
    output.warn(`it is partial: ${report.partial}`);
    context.exitStatus = EXIT.degraded;
  }
  output.result(report, text(report));
}

function pathOf(options: BackupOptions, directory: string, context: Context): string {
  if (options.output === undefined) {
    return newBackupPath(directory, options.configOnly ? "configuration" : "memories");
  }
  if (!/\.ya?ml$/i.test(options.output))
    throw usage(`${options.output} is no name for a manifest`, "End it in .yaml.");
  return resolve(context.workingDirectory, options.output);
}

function text(report: BackupReport): string {
  const { kind, path, bytes, tookMs, others, queued, written } = report;
  if (kind === "configuration") return `Backed the configuration up, and read it back: ${path}`;
  const parts = [
    kind === "incremental"
      ? `${written} changed of ${counted(report.memories, "memory")}`
      : counted(written, "memory"),
    ...(others === 0 ? [] : [`${counted(others, "record")} of other programs`]),
    ...(queued === 0 ? [] : [`${queued} of them still queued`]),
  ];
  const done = `Backed up ${parts.join(", ")}: ${formatBytes(bytes)} in ${took(tookMs)}, read back and compared.`;
  return `${done}\n${path}`;
}
