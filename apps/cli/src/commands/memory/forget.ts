import type { Command } from "commander";
import type { Filter, ForgetResult } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { filterOf, filterOptions, type SelectionOptions, usage } from "../../selection.ts";
import { withMemory } from "../../wire.ts";

interface ForgetOptions extends SelectionOptions {
  dryRun?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  filterOptions(command.argument("[id...]", "the memories to forget"))
    .option("--dry-run", "only say what would be forgotten")
    .option("--yes", "do not ask")
    .action((ids: string[], options: ForgetOptions) => forget(ids, options, context));
  example(command, [
    "holdfast memory forget 0198c0de-0000-7000-8000-000000000000",
    "holdfast memory forget --user ada --dry-run",
  ]);
}

async function forget(ids: string[], options: ForgetOptions, context: Context): Promise<void> {
  const selector = selectorOf(ids, options);
  const { output, signal } = context;
  const result = await withMemory(context, async (memory) => {
    const planned = await memory.forget(selector, { dryRun: true, signal });
    if (options.dryRun || planned.ids.length === 0) return planned;
    const question = `Forget ${count(planned.ids.length)}? It cannot be undone.`;
    if (!(await context.confirm(question, options))) return undefined;
    // What was shown is what is forgotten, though others may write meanwhile.
    return memory.forget(planned.ids, { signal });
  });
  if (result === undefined) {
    output.result({ ids: [] }, "Nothing was forgotten.");
    return;
  }
  if (!options.dryRun && result.durability !== "stored" && result.ids.length > 0)
    output.warn(`forgotten here; the store follows by itself, not yet, since ${reasonOf(result)}`);
  output.result({ ...result, dryRun: options.dryRun === true }, text(result, options));
}

function selectorOf(ids: string[], options: SelectionOptions): readonly string[] | Filter {
  const filter = filterOf(options);
  if (ids.length > 0 && Object.keys(filter).length > 0)
    throw usage("Ids and a filter were given; it must be one of them", "Leave one of them out.");
  return ids.length > 0 ? ids : filter;
}

const reasonOf = (result: ForgetResult): string =>
  result.reason ?? "the store has not confirmed it yet";

function text({ ids }: ForgetResult, { dryRun }: ForgetOptions): string {
  if (ids.length === 0) return "Nothing matches.";
  const head = dryRun ? `Would forget ${count(ids.length)}:` : `Forgot ${count(ids.length)}:`;
  return [head, ...ids.map((id) => `  ${printable(id)}`)].join("\n");
}

const count = (number: number): string => (number === 1 ? "1 memory" : `${number} memories`);
