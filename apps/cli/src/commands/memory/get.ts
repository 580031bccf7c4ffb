import type { Command } from "commander";
import { HoldfastError } from "@holdfast/core";
import type { MemoryRecord } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { belongings, moment, paintDurability, warnOfSource } from "../../memory-text.ts";
import { type Output, printable } from "../../output.ts";
import { withMemory } from "../../wire.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<id>", "as add, search and list print it")
    .action((id: string) => get(id, context));
  example(command, ["holdfast memory get 0198c0de-0000-7000-8000-000000000000"]);
}

async function get(id: string, context: Context): Promise<void> {
  const { output, signal } = context;
  const { memory, ...source } = await withMemory(context, (open) => open.get(id, { signal }));
  if (memory === undefined)
    throw new HoldfastError(`There is no memory ${JSON.stringify(id)}`, {
      code: "MEMORY_NOT_FOUND",
      hint: "See which there are with: holdfast memory list",
    });
  // That other memories wait does not concern this one.
  warnOfSource(output, { ...source, queued: 0 });
  output.result({ memory, ...source }, describe(memory, output));
}

function describe(memory: MemoryRecord, output: Output): string {
  const of = belongings(memory.scope, memory.tags);
  const metadata = Object.entries(memory.metadata);
  const facts = [
    `${memory.id}  ${paintDurability(output, memory.durability)}`,
    `created ${moment(memory.createdAt)}, revision ${memory.revision} of ${moment(memory.updatedAt)}`,
    ...(memory.expiresAt === undefined ? [] : [`forgotten after ${moment(memory.expiresAt)}`]),
    ...(of === "" ? [] : [of]),
    ...metadata.map(([key, value]) => printable(`${key} = ${JSON.stringify(value)}`)),
  ];
  return `${facts.map((fact) => output.paint("dim", fact)).join("\n")}\n\n${printable(memory.text)}`;
}
