import type { Command } from "commander";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { moment } from "../../../memory-text.ts";
import { columns, printable } from "../../../output.ts";
import { withMirror } from "../../../wire.ts";

export function register(command: Command, context: Context): void {
  command.action(() => list(context));
  example(command, ["holdfast memory outbox list"]);
}

async function list(context: Context): Promise<void> {
  const { dead, outbox } = await withMirror(context, (memory) => ({
    dead: memory.deadLetters(),
    outbox: memory.status().outbox,
  }));
  const rows = dead.map((letter) => [
    String(letter.seq),
    letter.operation,
    moment(letter.acceptedAt),
    printable(letter.id),
    printable(letter.reason),
  ]);
  const waiting = `${outbox.records} waiting for the store, ${dead.length} refused by it`;
  const table = columns([["SEQ", "WRITE", "ACCEPTED", "ID", "REFUSED BECAUSE"], ...rows]);
  const next =
    "Try them again: holdfast memory outbox retry. Give up: holdfast memory outbox discard SEQ";
  context.output.result(
    { dead, outbox },
    dead.length === 0 ? `${waiting}.` : `${waiting}:\n${table}\n\n${next}`,
  );
}
