import { resolve } from "node:path";
import type { Command } from "commander";
import { ENVIRONMENTS, generateConfig, isEnvironmentName, suggest } from "@holdfast/config";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { usage } from "../../selection.ts";
import { writeTo } from "../../write-new-file.ts";

interface GenerateOptions {
  output?: string;
  minimal?: boolean;
  force?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--output <file>", "write it there instead of printing it")
    .option("--minimal", "only what differs from the defaults")
    .option("--force", "replace the file when there is one")
    .action((options: GenerateOptions) => generate(options, context));
  example(command, [
    "holdfast memory generate --env production --output holdfast.production.yaml",
    "holdfast memory generate --env testing --minimal",
  ]);
}

function generate(
  { output, minimal = false, force = false }: GenerateOptions,
  context: Context,
): void {
  const name = context.loadOptions.environmentName ?? "development";
  if (!isEnvironmentName(name)) {
    const meant = suggest(name, ENVIRONMENTS);
    const hint =
      meant === undefined ? `They are ${ENVIRONMENTS.join(", ")}.` : `Did you mean ${meant}?`;
    throw usage(`${name} is not an environment`, hint);
  }
  const text = generateConfig({ environment: name, minimal });
  if (output === undefined) {
    context.output.result({ environment: name, minimal, text }, text);
    return;
  }
  const file = resolve(context.workingDirectory, output);
  writeTo(file, text, { force, mode: 0o644 });
  const next = `holdfast memory validate ${output} --strict`;
  context.output.result({ environment: name, minimal, file }, `Created ${output}\nNext: ${next}`);
}
