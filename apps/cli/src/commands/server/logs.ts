import type { Command } from "commander";
import { statePathsOf, tailServerLog } from "@holdfast/chroma";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { managedDirectory } from "../../managed-directory.ts";
import { printable } from "../../output.ts";
import { wholeNumber } from "../../selection.ts";

export function register(command: Command, context: Context): void {
  command
    .option("--lines <n>", "how many of the last lines", wholeNumber(1, 10_000), 50)
    .action((options: { lines: number }) => logs(options.lines, context));
  example(command, ["holdfast server logs", "holdfast server logs --lines 200"]);
}

function logs(count: number, context: Context): void {
  const { serverLog } = statePathsOf(managedDirectory(context));
  const lines = tailServerLog(serverLog, count);
  if (lines.length === 0) context.output.note(`${serverLog} is empty or not there yet.`);
  context.output.result({ file: serverLog, lines }, printable(lines.join("\n")));
}
