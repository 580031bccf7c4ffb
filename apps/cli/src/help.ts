import type { Command } from "commander";

/** Examples stand above everything else in a command's help. */
export function example(command: Command, lines: readonly string[]): void {
  const title = lines.length > 1 ? "Examples" : "Example";
  command.addHelpText("before", `${title}:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`);
}
