import type { Command } from "commander";
import type { RebuildReport } from "@holdfast/memory";
import { refusedText } from "../../backup/backup-text.ts";
import { progressTeller } from "../../backup/tell-progress.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { withMemory } from "../../wire.ts";

export function register(command: Command, context: Context): void {
  command
    .option("--yes", "do not ask")
    .action((options: { yes?: boolean }) => rebuild(options, context));
  example(command, ["holdfast memory rebuild"]);
}

async function rebuild(options: { yes?: boolean }, context: Context): Promise<void> {
  const { output, signal } = context;
  const question = "Make the collection anew from this machine's mirror? The old one is kept.";
  if (!(await context.confirm(question, options))) {
    output.result({ rebuilt: 0 }, "Nothing was changed.");
    return;
  }
  const progress = progressTeller(output);
  const onProgress = (done: number, total: number): void =>
    progress.onProgress({ stage: "store", done, total });
  const report = await withMemory(context, (memory) => memory.rebuild({ onProgress, signal }));
  progress.done();
  if (report.refused.length > 0) {
    output.warn(refusedText(report.refused));
    context.exitStatus = EXIT.degraded;
  }
  if (!report.equal) context.exitStatus = EXIT.failed;
  output.result(report, text(report));
}

function text(report: RebuildReport): string {
  const kept =
    report.keptAs === undefined ? "" : ` The old collection is kept as ${report.keptAs}.`;
  const salvaged =
    report.salvaged === 0 ? "" : `, ${report.salvaged} of other writers carried over`;
  const returned =
    report.returned === 0 ? "" : `, ${report.returned} of other programs brought back`;
  const verdict = report.equal
    ? `compared ${report.compared}, all equal`
    : `compared ${report.compared}: ${report.missing.length} missing, ${report.different.length} different`;
  return `Rebuilt ${report.rebuilt}${salvaged}${returned}; ${verdict}.${kept}`;
}
