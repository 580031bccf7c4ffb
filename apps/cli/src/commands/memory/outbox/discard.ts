import type { Command } from "commander";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { withMirror } from "../../../wire.ts";
import { mustBeRefused, sequenceNumbers } from "./retry.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<seq...>", "as outbox list prints it", sequenceNumbers)
    .option("--yes", "do not ask")
    .action((seqs: number[], options: { yes?: boolean }) => discard(seqs, options, context));
  example(command, ["holdfast memory outbox discard 17 --yes"]);
}

async function discard(
  seqs: number[],
  options: { yes?: boolean },
  context: Context,
): Promise<void> {
  await withMirror(context, (memory) => mustBeRefused(seqs, memory));
  const question = `Give up ${seqs.length === 1 ? "this write" : `these ${seqs.length} writes`}? It cannot be undone.`;
  const goAhead = await context.confirm(question, options);
  const discarded = goAhead ? await withMirror(context, (memory) => memory.discardDead(seqs)) : 0;
  context.output.result({ discarded }, `Discarded ${discarded}.`);
}
