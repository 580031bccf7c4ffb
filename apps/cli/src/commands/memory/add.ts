import { addAbortSignal } from "node:stream";
import type { Command } from "commander";
import type { Receipt } from "@holdfast/memory";
import type { Metadata } from "@holdfast/store";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { paintDurability } from "../../memory-text.ts";
import {
  collectPair,
  duration,
  scopeOf,
  scopeOptions,
  type SelectionOptions,
  usage,
} from "../../selection.ts";
import { withMemory } from "../../wire.ts";

interface AddOptions extends SelectionOptions {
  id?: string;
  meta?: Metadata;
  ttl?: number;
  wait?: number;
}

export function register(command: Command, context: Context): void {
  scopeOptions(command.argument("<text>", "what to remember; - reads it from stdin"))
    .option("--meta <key=value>", "metadata; may be given several times", collectPair)
    .option("--ttl <duration>", "forget it after, as in 30d", duration)
    .option("--id <id>", "its id; one that exists is replaced; default: a new one")
    .option("--wait <duration>", "how long to wait for the store, as in 10s; 0 for not", duration)
    .action((text: string, options: AddOptions) => add(text, options, context));
  example(command, [
    'holdfast memory add "The build needs Node 24" --project website --tag build',
    "git log -1 --format=%B | holdfast memory add - --meta kind=commit",
  ]);
}

async function add(text: string, options: AddOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const content = text === "-" ? await standardInput(signal) : text;
  const receipt = await withMemory(context, (memory) =>
    memory.add(content, {
      scope: scopeOf(options),
      signal,
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(options.tag === undefined ? {} : { tags: options.tag }),
      ...(options.meta === undefined ? {} : { metadata: options.meta }),
      ...(options.ttl === undefined ? {} : { ttlMs: options.ttl }),
      ...(options.wait === undefined ? {} : { waitMs: options.wait }),
    }),
  );
  warnOfReceipt(context, receipt);
  const { redactions = 0 } = receipt;
  if (redactions > 0)
    output.warn(
      `${redactions === 1 ? "1 secret was" : `${redactions} secrets were`} taken out before it was written; see: holdfast memory get ${receipt.id}`,
    );
  output.result(receipt, `${paintDurability(output, receipt.durability)} ${receipt.id}`);
}

function warnOfReceipt({ output }: Context, receipt: Receipt): void {
  if (receipt.durability === "stored") return;
  const why = receipt.reason ?? "the store has not confirmed it yet";
  output.warn(
    receipt.durability === "queued"
      ? `it is safe on this machine and reaches the store by itself; not yet: ${why}`
      : `the store refused it: ${why}. Look at it with: holdfast memory outbox list`,
  );
}

const INPUT_BYTES_MAX = 4 * 1024 * 1024;

/** All of stdin, without the line break that shells put at its end. */
async function standardInput(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of addAbortSignal(signal, process.stdin) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > INPUT_BYTES_MAX)
      throw usage("There is more on stdin than one memory holds", "Split it into several.");
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  } catch (error) {
    throw usage("What is on stdin is not UTF-8 text", "Convert it first, as with iconv.", error);
  }
}
