import type { Command } from "commander";
import { listQuarantine, pruneQuarantine } from "@holdfast/chroma";
import { durationMs, HoldfastError } from "@holdfast/core";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { managedDirectory } from "../../../managed-directory.ts";
import { counted } from "../../../counted.ts";

interface Options {
  all?: boolean;
  olderThan?: string;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("[name...]", "as quarantine list prints it")
    .option("--all", "everything that is kept")
    .option("--older-than <duration>", "what has been kept for longer, as in 30d")
    .option("--yes", "do not ask")
    .action((names: string[], options: Options) => prune(names, options, context));
  example(command, [
    "holdfast memory quarantine prune --older-than 30d",
    "holdfast memory quarantine prune 2026-01-31T09-15-00-000Z --yes",
  ]);
}

async function prune(names: readonly string[], options: Options, context: Context): Promise<void> {
  const directory = managedDirectory(context);
  const chosen = choose(directory, names, options);
  const bytes = chosen.reduce((sum, entry) => sum + entry.bytes, 0);
  const size = `${(bytes / 1_000_000).toFixed(1)} MB`;
  const question = `Delete ${counted(chosen.length, "thing")} from quarantine (${size})? It cannot be undone.`;
  if (chosen.length === 0 || !(await context.confirm(question, options))) {
    context.output.result({ pruned: [], bytes: 0 }, "Nothing was deleted.");
    return;
  }
  const pruned = chosen.map(({ name }) => name);
  pruneQuarantine(directory, pruned);
  context.output.result({ pruned, bytes }, `Deleted ${pruned.join(", ")} (${size}).`);
}

function choose(
  directory: string,
  names: readonly string[],
  { all, olderThan }: Options,
): ReturnType<typeof listQuarantine> {
  const entries = listQuarantine(directory);
  if (names.length > 0) {
    const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
    if (unknown === undefined) return entries.filter(({ name }) => names.includes(name));
    throw usage(`Nothing in quarantine is called ${unknown}`);
  }
  if (all === true) return entries;
  if (olderThan === undefined) throw usage("Say which: names, --older-than or --all");
  const before = Date.now() - durationMs(olderThan);
  return entries.filter(
    ({ quarantinedAt }) => quarantinedAt !== undefined && Date.parse(quarantinedAt) < before,
  );
}

function usage(message: string): HoldfastError {
  return new HoldfastError(message, {
    code: "USAGE",
    hint: "See them with: holdfast memory quarantine list",
  });
}
