import { resolve } from "node:path";
import type { Command } from "commander";
import type { DrillReport, VerifyReport } from "@holdfast/memory";
import { formatBytes, took, undrilledText } from "../../../backup/backup-text.ts";
import { drillBackup } from "../../../backup/drill.ts";
import { progressTeller } from "../../../backup/tell-progress.ts";
import type { Context } from "../../../context.ts";
import { EXIT } from "../../../exit-codes.ts";
import { example } from "../../../help.ts";
import { moment } from "../../../memory-text.ts";
import { withBackupLog } from "../../../wire.ts";
import { workspaceOf } from "../../../workspace.ts";
import { counted } from "../../../counted.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<file>", "the backup's manifest")
    .option("--drill", "restore it into a scratch Chroma, and compare what that answers")
    .action((file: string, options: { drill?: boolean }) => verify(file, options, context));
  example(command, [
    "holdfast memory backup verify backup.yaml",
    "holdfast memory backup verify backup.yaml --drill",
  ]);
}

async function verify(file: string, options: { drill?: boolean }, context: Context): Promise<void> {
  const { output, signal } = context;
  const path = resolve(context.workingDirectory, file);
  const progress = progressTeller(output);
  const call = { onProgress: progress.onProgress, signal };
  await withBackupLog(workspaceOf(context.config()), async (backups) => {
    const report = await backups.verify(path, call);
    const drill =
      options.drill && report.kind !== "configuration"
        ? await drillBackup(path, context, call)
        : undefined;
    progress.done();
    if (drill !== undefined) backups.noteDrill(report.id, drill.tookMs);
    if (drill !== undefined && drill.refused.length > 0) output.warn(undrilledText(drill.refused));
    if (report.partial !== undefined) {
      output.warn(`it is partial: ${report.partial}`);
      context.exitStatus = EXIT.degraded;
    }
    output.result({ ...report, drill }, text(report, drill));
  });
}

function text(report: VerifyReport, drill: DrillReport | undefined): string {
  const { chain, others, kind, madeAt, bytes, tookMs } = report;
  const what =
    kind === "configuration"
      ? "configuration"
      : `${counted(report.memories, "memory")}${others === 0 ? "" : `, ${counted(others, "record")} of other programs`}`;
  const files = chain === 1 ? "" : `, a chain of ${chain}`;
  const lines = [
    `Sound: ${what} of ${moment(madeAt)}, ${formatBytes(bytes)}${files}, every byte read in ${took(tookMs)}.`,
  ];
  if (drill !== undefined)
    lines.push(
      `Drill: restored into a scratch Chroma and reopened in ${took(drill.tookMs)}; ` +
        `${drill.compared} compared, all equal; ${drill.queries} sampled queries answered as they must be.`,
    );
  return lines.join("\n");
}
