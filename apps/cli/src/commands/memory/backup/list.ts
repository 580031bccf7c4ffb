import type { Command } from "commander";
import { type FoundBackup, listBackups } from "@holdfast/memory";
import { formatBytes } from "../../../backup/backup-text.ts";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { moment } from "../../../memory-text.ts";
import { columns, printable } from "../../../output.ts";

export function register(command: Command, context: Context): void {
  command
    .option("--directory <folder>", "where to look; default: backup.directory")
    .action((options: { directory?: string }) => list(options, context));
  example(command, ["holdfast memory backup list"]);
}

function list(options: { directory?: string }, context: Context): void {
  const { output } = context;
  const directory = options.directory ?? context.config().config.backup.directory;
  const { backups, unreadable } = listBackups(directory);
  for (const { path, damage } of unreadable) output.warn(`${path}: ${damage}`);
  const rows = backups.map((backup) => [
    moment(backup.madeAt),
    backup.kind,
    backup.kind === "configuration" ? "" : String(backup.memories),
    formatBytes(backup.bytes),
    stateOf(backup),
    printable(backup.path),
  ]);
  const text =
    rows.length === 0
      ? `There are no backups in ${directory}. Make one with: holdfast memory backup`
      : columns([["MADE", "KIND", "MEMORIES", "SIZE", "STATE", "MANIFEST"], ...rows]);
  output.result({ directory, backups, unreadable }, text);
}

function stateOf({ damage, partial }: FoundBackup): string {
  if (damage !== undefined) return `damaged: ${damage}`;
  return partial === undefined ? "complete" : "partial";
}
