import type { Command } from "commander";
import type { Config } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import type { Lifecycle, RetentionReport } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { withMemory } from "../../wire.ts";
import { counted } from "../../counted.ts";

interface PruneOptions {
  dryRun?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--dry-run", "only say what would be pruned")
    .option("--yes", "do not ask")
    .action((options: PruneOptions) => prune(options, context));
  example(command, ["holdfast memory prune --dry-run", "holdfast memory prune --yes"]);
}

async function prune(options: PruneOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const { pruneMemory } = await import("@holdfast/memory");
  const report = await withMemory(context, async (memory, { workspace }) => {
    const { config, stateDirectory } = workspace;
    const collection = config.vector_store.config.collection_name;
    const { archive } = config.lifecycle;
    const run = (dryRun: boolean): Promise<RetentionReport> =>
      pruneMemory(
        { stateDirectory, collection },
        lifecycleOf(config),
        { memory },
        {
          dryRun,
          signal,
          ...(archive === undefined ? {} : { archiveFolder: archive }),
        },
      );
    const planned = await run(true);
    const due = planned.expired + planned.aged;
    if (options.dryRun || due === 0) return planned;
    const question = `Forget ${counted(due, "memory")} kept long enough? It cannot be undone.`;
    return (await context.confirm(question, options)) ? run(false) : undefined;
  });
  if (report === undefined) {
    output.result({ expired: 0, aged: 0 }, "Nothing was pruned.");
    return;
  }
  if (report.reason !== undefined)
    output.warn(`pruned here; the store follows by itself, not yet: ${report.reason}`);
  const dryRun = options.dryRun === true;
  output.result({ ...report, dryRun }, text(report, dryRun));
}

function lifecycleOf({ lifecycle }: Config): Lifecycle {
  return {
    rules: lifecycle.rules.map(({ category, tag, ttl }) => ({
      ...(category === undefined ? {} : { category }),
      ...(tag === undefined ? {} : { tag }),
      ttlMs: lifetimeMs(ttl),
    })),
    defaultMs: lifetimeMs(lifecycle.default),
  };
}

function lifetimeMs(ttl: string | number): number | undefined {
  return typeof ttl === "string" && ttl.trim() === "never" ? undefined : durationMs(ttl);
}

function text(report: RetentionReport, dryRun: boolean): string {
  const { checked, expired, aged, sample, renewed, archive } = report;
  if (expired + aged === 0)
    return `Looked at ${counted(checked, "memory")}: none has been kept long enough.`;
  const more = expired + aged > sample.length ? ["  …"] : [];
  return [
    `${dryRun ? "Would prune" : "Pruned"} ${expired + aged} of ${counted(checked, "memory")}: ${expired} by their own ttl, ${aged} by the lifecycle`,
    ...sample.map((id) => `  ${printable(id)}`),
    ...more,
    ...(renewed > 0 ? [`${counted(renewed, "memory")} written again meanwhile stayed.`] : []),
    ...(archive === undefined ? [] : [`Archived in ${archive}`]),
  ].join("\n");
}
