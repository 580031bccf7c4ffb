import { resolve } from "node:path";
import type { Command } from "commander";
import { importConfig, type ImportedConfig, readConfigFile } from "@holdfast/config";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { columns, printable } from "../../output.ts";
import { writeTo } from "../../write-new-file.ts";

interface ImportOptions {
  output?: string;
  force?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("<file>", "a configuration of the older layout; it stays as it is")
    .option("--output <file>", "write the result there; without it nothing is written")
    .option("--force", "replace the file when there is one")
    .action((file: string, options: ImportOptions) => bringOver(file, options, context));
  example(command, [
    "holdfast memory config import memory.yaml",
    "holdfast memory config import memory.yaml --output holdfast.yaml",
  ]);
}

function bringOver(name: string, { output, force = false }: ImportOptions, context: Context): void {
  const source = resolve(context.workingDirectory, name);
  const imported = importConfig(readConfigFile(source), source);
  const file = output === undefined ? undefined : resolve(context.workingDirectory, output);
  if (file !== undefined) writeTo(file, imported.text, { force, mode: 0o644 });
  const next =
    output === undefined
      ? `Nothing was written. Next: holdfast config import ${name} --output holdfast.yaml`
      : `Created ${output}\nNext: holdfast memory validate ${output} --strict`;
  const text = [file === undefined ? imported.text : undefined, ...lists(imported), next];
  const told = text.filter((part) => part !== undefined).join("\n");
  context.output.result({ source, file, ...imported }, printable(told));
}

function lists({ mapped, dropped }: ImportedConfig): string[] {
  const rows = mapped.map(({ from, to, value }) => [
    `  ${from}`,
    `${to}: ${JSON.stringify(value)}`,
  ]);
  const gone = dropped.map(({ from, why }) => [`  ${from}`, why]);
  return [
    ...(rows.length === 0 ? [] : ["Brought over:", columns(rows), ""]),
    ...(gone.length === 0 ? [] : ["Dropped:", columns(gone), ""]),
  ];
}
