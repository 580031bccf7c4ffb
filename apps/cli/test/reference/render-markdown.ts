import type { DescribedCommand, DescribedProgram } from "./described-command.ts";

/** The reference of the command line as `docs/cli.md`. */
export function renderMarkdown({ description, globals, commands }: DescribedProgram): string {
  return [
    "# The command line",
    "",
    `\`holdfast\`, also installed as \`claude-pm\`. ${description}`,
    "",
    "<!-- Made from the commands themselves by apps/cli/test/reference.test.ts. -->",
    "",
    "Every command takes these:",
    "",
    ...optionTable(globals),
    "",
    "What a command ends with: [exit codes](exit-codes.md).",
    ...commands.flatMap(section),
    "",
  ].join("\n");
}

function section(command: DescribedCommand): string[] {
  return [
    "",
    `## ${command.name}`,
    "",
    command.description,
    "",
    "```text",
    `holdfast ${command.usage}`,
    "```",
    ...(command.options.length === 0 ? [] : ["", ...optionTable(command.options)]),
    ...(command.examples.length === 0
      ? []
      : ["", "For example:", "", "```text", ...command.examples, "```"]),
  ];
}

function optionTable(options: DescribedCommand["options"]): string[] {
  const rows = options.map(([flags, text]) => [`\`${escaped(flags)}\``, escaped(text)]);
  const width = (at: number): number =>
    Math.max(...[["Option", "Meaning"], ...rows].map((row) => row[at]?.length ?? 0));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(width(at))).join(" | ")} |`;
  return [
    line(["Option", "Meaning"]),
    `| ${"-".repeat(width(0))} | ${"-".repeat(width(1))} |`,
    ...rows.map(line),
  ];
}

const escaped = (text: string): string => text.replaceAll("|", "\\|");
