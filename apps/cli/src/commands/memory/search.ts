import type { Command } from "commander";
import type { Hit } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { belongings, oneLine, roomFor, warnOfSource } from "../../memory-text.ts";
import {
  filterOptions,
  type SelectionOptions,
  recallFilterOf,
  usage,
  wholeNumber,
} from "../../selection.ts";
import { withMemory } from "../../wire.ts";

export function register(command: Command, context: Context): void {
  filterOptions(command.argument("<query>", "what to recall, in your own words"))
    .option("--all", "also what was done: the commands of holdfast")
    .option("--limit <n>", "how many at most", wholeNumber(1, 1000), 10)
    .action((query: string, options: SelectionOptions & { all?: true; limit: number }) =>
      search(query, options, context),
    );
  example(command, [
    'holdfast memory search "which Node does the build need"',
    'holdfast memory search "colours" --user ada --where kind=preference --limit 3',
  ]);
}

async function search(
  query: string,
  options: SelectionOptions & { all?: true; limit: number },
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  if (query.trim() === "")
    throw usage("There is nothing to look for", "To see everything: holdfast memory list");
  const result = await withMemory(context, (memory) =>
    memory.search(query, { ...recallFilterOf(options), limit: options.limit, signal }),
  );
  warnOfSource(output, result);
  const lines = result.hits.map((hit) => line(hit, context));
  output.result(result, lines.length === 0 ? "Nothing was found." : lines.join("\n"));
}

function line(hit: Hit, { output }: Context): string {
  const score = output.paint("cyan", hit.score.toFixed(2));
  const of = belongings(hit.scope, hit.tags);
  const whose = of === "" ? "" : `  ${output.paint("dim", of)}`;
  const text = oneLine(hit.text, roomFor(6));
  return `${score}  ${text}\n      ${output.paint("dim", hit.id)}${whose}`;
}
