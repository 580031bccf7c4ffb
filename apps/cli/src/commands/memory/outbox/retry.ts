import type { Command } from "commander";
import type { Memory } from "@holdfast/memory";
import type { Context } from "../../../context.ts";
import { EXIT } from "../../../exit-codes.ts";
import { example } from "../../../help.ts";
import { usage, wholeNumber } from "../../../selection.ts";
import { withMemory } from "../../../wire.ts";

const sequenceNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function register(command: Command, context: Context): void {
  command
    .argument("[seq...]", "as outbox list prints it; all when left out", sequenceNumbers)
    .action((seqs: number[] | undefined) => retry(seqs, context));
  example(command, ["holdfast memory outbox retry", "holdfast memory outbox retry 17 18"]);
}

export function sequenceNumbers(text: string, earlier: number[] | undefined): number[] {
  return [...(earlier ?? []), sequenceNumber(text)];
}

/** @throws USAGE of a number that no refused write has */
export function mustBeRefused(seqs: readonly number[], memory: Memory): void {
  const refused = new Set(memory.deadLetters().map(({ seq }) => seq));
  const unknown = seqs.find((seq) => !refused.has(seq));
  if (unknown !== undefined)
    throw usage(
      `No refused write has the number ${unknown}`,
      "See them with: holdfast memory outbox list",
    );
}

async function retry(seqs: number[] | undefined, context: Context): Promise<void> {
  const { output, signal } = context;
  const { retried, report } = await withMemory(context, async (memory) => {
    if (seqs !== undefined) mustBeRefused(seqs, memory);
    const count = seqs === undefined ? memory.retryDead() : memory.retryDead(seqs);
    return { retried: count, report: await memory.drain({ signal }) };
  });
  if (report.stoppedBy !== undefined)
    output.warn(`${report.queued} still wait for the store, since ${report.stoppedBy}`);
  if (report.dead > 0) {
    context.exitStatus = EXIT.degraded;
    output.warn(`${report.dead} were refused again. See why: holdfast memory outbox list`);
  }
  output.result({ retried, ...report }, `Tried ${retried} again; ${report.stored} are stored now.`);
}
