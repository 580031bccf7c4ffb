import { relative } from "node:path";
import { systemClock } from "@holdfast/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { findRule, placedRules, removeRule } from "../../policy/policy-files.ts";
import { policyPlaceOf, shortPath } from "../../policy/policy-place.ts";

interface RemoveOptions {
  force?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("<name>", "the policy's name")
    .option("--force", "do not ask")
    .option("--yes", "do not ask")
    .action((name: string, options: RemoveOptions) => remove(name, options, context));
  example(command, ["holdfast memory policy remove no-secrets"]);
}

async function remove(name: string, options: RemoveOptions, context: Context): Promise<void> {
  const { output } = context;
  const place = policyPlaceOf(context);
  const { file } = findRule(placedRules(place), name);
  const question = `Remove the policy ${printable(name)} from ${shortPath(place, file.path)}?`;
  const yes = options.force === true || options.yes === true;
  if (!(await context.confirm(question, { yes }))) {
    output.result({ removed: false }, "Nothing was removed.");
    return;
  }
  const kept = removeRule(place, name, systemClock.now());
  const undo = `holdfast memory policy add ${relative(context.workingDirectory, kept)}`;
  output.result(
    { removed: true, name, kept },
    `Removed ${printable(name)}.\nundo: ${printable(undo)}`,
  );
}
