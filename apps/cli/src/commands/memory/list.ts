import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { moment, oneLine, paintDurability, roomBeside } from "../../memory-text.ts";
import { columns, printable } from "../../output.ts";
import {
  filterOptions,
  type SelectionOptions,
  shownFilterOf,
  wholeNumber,
} from "../../selection.ts";
import { withMirror } from "../../wire.ts";

interface ListOptions extends SelectionOptions {
  all?: true;
  limit: number;
  after?: string;
}

export function register(command: Command, context: Context): void {
  filterOptions(command)
    .option("--all", "also what was done: the commands of holdfast")
    .option("--limit <n>", "how many at most", wholeNumber(1, 10_000), 50)
    .option("--after <id>", "continue after this one, the last of the page before")
    .action((options: ListOptions) => list(options, context));
  example(command, [
    "holdfast memory list",
    "holdfast memory list --project website --tag build",
    "holdfast memory list --tag command",
  ]);
}

async function list(options: ListOptions, context: Context): Promise<void> {
  const { output } = context;
  const { memories, total } = await withMirror(context, (memory) =>
    memory.list({
      ...shownFilterOf(options),
      limit: options.limit,
      ...(options.after === undefined ? {} : { after: options.after }),
    }),
  );
  const rows = memories.map((memory) => {
    const id = printable(memory.id);
    const when = moment(memory.createdAt);
    const text = oneLine(memory.text, roomBeside(id.length + when.length + 12));
    return [id, when, paintDurability(output, memory.durability), text];
  });
  if (memories.length < total) {
    const last = memories.at(-1)?.id;
    const more = last === undefined ? "" : `; the next with: --after ${printable(last)}`;
    output.note(`${memories.length} of ${total}${more}`);
  }
  output.result({ memories, total }, rows.length === 0 ? "Nothing is remembered." : columns(rows));
}
