import { resolve } from "node:path";
import type { Command } from "commander";
import { HoldfastError } from "@holdfast/core";
import type { Backups, RestoreReport } from "@holdfast/memory";
import { differenceText, refusedText, took } from "../../backup/backup-text.ts";
import { restoreConfiguration } from "../../backup/restore-configuration.ts";
import { progressTeller } from "../../backup/tell-progress.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { moment } from "../../memory-text.ts";
import { usage } from "../../selection.ts";
import { withBackups } from "../../wire.ts";
import { counted } from "../../counted.ts";

interface RestoreOptions {
  dryRun?: boolean;
  collection?: string;
  configOnly?: boolean;
  toTime?: string;
  reEmbed?: boolean;
  undo?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("[file]", "the backup's manifest")
    .option("--dry-run", "only say what would change")
    .option("--collection <name>", "restore under this name, beside what is in use")
    .option("--config-only", "its configuration and policies, no memories")
    .option("--to-time <time>", "and the writes since then up to this time (ISO 8601)")
    .option("--re-embed", "compute all vectors anew, with the embedder in use")
    .option("--undo", "bring back what the last restore has replaced")
    .option("--yes", "do not ask")
    .action((file: string | undefined, options: RestoreOptions) => restore(file, options, context));
  example(command, [
    "holdfast memory restore backup.yaml --dry-run",
    "holdfast memory restore backup.yaml --to-time 2026-11-22T14:30:00Z",
    "holdfast memory restore --undo",
  ]);
}

async function restore(
  file: string | undefined,
  options: RestoreOptions,
  context: Context,
): Promise<void> {
  requireCompatible(options);
  if (options.undo) return undo(file, options, context);
  if (file === undefined) throw usage("No backup was named", "See: holdfast memory backup list");
  const path = resolve(context.workingDirectory, file);
  if (options.configOnly) return restoreConfiguration(path, options, context);
  await withBackups(
    context,
    (backups, { workspace }) =>
      restoreMemories(
        path,
        workspace.config.vector_store.config.collection_name,
        options,
        backups,
        context,
      ),
    options.collection,
  );
}

/** An option that would change nothing is refused. */
function requireCompatible(options: RestoreOptions): void {
  const other = options.undo ? "--undo" : options.configOnly ? "--config-only" : undefined;
  if (other === undefined) return;
  const idle = [
    ...(options.undo && options.configOnly ? ["--config-only"] : []),
    ...(options.toTime === undefined ? [] : ["--to-time"]),
    ...(options.reEmbed ? ["--re-embed"] : []),
    ...(options.configOnly && options.collection !== undefined ? ["--collection"] : []),
  ];
  if (idle.length > 0) throw usage(`${other} takes no ${idle.join(" and no ")}`, "Leave it out.");
}

async function restoreMemories(
  path: string,
  into: string,
  options: RestoreOptions,
  backups: Backups,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const progress = progressTeller(output);
  const call = { onProgress: progress.onProgress, signal };
  const plan = await backups.plan(path, {
    ...call,
    reEmbed: options.reEmbed === true,
    ...(options.toTime === undefined ? {} : { toTime: timeOf(options.toTime) }),
  });
  progress.done();
  if (plan.partial !== undefined) output.warn(`the backup is partial: ${plan.partial}`);
  const { difference, madeAt, from } = plan;
  const told = { path, madeAt, from, into, difference };
  const head = `${into}, as ${from} was at ${moment(madeAt)}:`;
  const shown = [head, ...differenceText(difference).map((line) => `  ${line}`)].join("\n");
  if (options.dryRun) {
    output.result({ ...told, dryRun: true }, `${shown}\nNothing was changed (--dry-run).`);
    return;
  }
  output.note(shown);
  if (!(await context.confirm(`Restore ${into}? It can be undone.`, options))) {
    output.result({ ...told, dryRun: true }, "Nothing was changed.");
    return;
  }
  const again = progressTeller(output);
  const report = await backups.restore(plan, { onProgress: again.onProgress, signal });
  again.done();
  tellRest(report, context);
  output.result({ ...told, dryRun: false, ...report }, doneText(into, report, options));
}

function tellRest({ refused, pending }: RestoreReport, context: Context): void {
  const { output } = context;
  if (pending !== undefined)
    output.warn(`restored here; the store follows by itself, not yet: ${pending}`);
  if (refused.length === 0) return;
  output.warn(refusedText(refused));
  context.exitStatus = EXIT.degraded;
}

async function undo(
  file: string | undefined,
  options: RestoreOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  if (file !== undefined) throw usage("--undo takes no backup", "Leave the file out.");
  await withBackups(
    context,
    async (backups) => {
      const plan = backups.planUndo();
      const { difference, replacedAt } = plan;
      const head = `What was remembered until ${moment(replacedAt)} would come back:`;
      const shown = [head, ...differenceText(difference).map((line) => `  ${line}`)].join("\n");
      if (!options.dryRun) output.note(shown);
      const question = "Undo the last restore? That can be undone, too.";
      if (options.dryRun || !(await context.confirm(question, options))) {
        const end = "Nothing was changed.";
        const text = options.dryRun ? `${shown}\n${end}` : end;
        output.result({ replacedAt, difference, dryRun: true }, text);
        return;
      }
      const report = await backups.undo(plan, { signal });
      if (report.pending !== undefined)
        output.warn(`undone here; the store follows by itself, not yet: ${report.pending}`);
      const done = `The state before the restore is back: ${counted(report.memories, "memory")}.`;
      output.result({ replacedAt, difference, dryRun: false, ...report }, done);
    },
    options.collection,
  );
}

function doneText(into: string, report: RestoreReport, { collection }: RestoreOptions): string {
  const { others, embedded, resumed, tookMs } = report;
  const parts = [
    counted(report.memories, "memory"),
    ...(others === 0 ? [] : [`${counted(others, "record")} of other programs`]),
    ...(embedded === 0 ? [] : [`${counted(embedded, "vector")} computed anew`]),
  ];
  const where = collection === undefined ? "" : ` --collection ${collection}`;
  const how = resumed ? ", going on where it was cut off" : "";
  return [
    `Restored ${into}: ${parts.join(", ")}, compared with the store, in ${took(tookMs)}${how}.`,
    `What it replaced is kept. Bring it back with: holdfast memory restore --undo${where}`,
  ].join("\n");
}

/** A moment as ISO 8601; without a zone it is local time. */
function timeOf(text: string): number {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new HoldfastError(`Not a time: ${JSON.stringify(text)}`, {
    code: "USAGE",
    hint: "Write it as in: --to-time 2026-11-22T14:30:00Z",
  });
}
