import type { Command } from "commander";
import { type Memory, type MemoryRecord, redactContent, type Redactor } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { columns, printable } from "../../output.ts";
import { redactorOf } from "../../redaction.ts";
import { usage } from "../../selection.ts";
import { withMemory, withMirror } from "../../wire.ts";
import { counted } from "../../counted.ts";

interface ScanOptions {
  secrets?: true;
  redact?: true;
  yes?: true;
}

interface Finding {
  id: string;
  /** How many secrets. */
  count: number;
  kinds: readonly string[];
}

export function register(command: Command, context: Context): void {
  command
    .option("--secrets", "look for secrets")
    .option("--redact", "take them out, for good")
    .option("--yes", "do not ask")
    .action((options: ScanOptions) => scan(options, context));
  example(command, ["holdfast memory scan --secrets", "holdfast memory scan --secrets --redact"]);
}

async function scan(options: ScanOptions, context: Context): Promise<void> {
  if (options.secrets !== true)
    throw usage("There is nothing to look for", "Say for what: holdfast memory scan --secrets");
  const { output } = context;
  const redactor = await redactorOf(context.config().config);
  const { found, scanned } = await withMirror(context, (memory) => find(memory, redactor));
  if (found.length === 0) {
    output.result({ scanned, found, redacted: 0 }, `No secrets in ${counted(scanned, "memory")}.`);
    return;
  }
  const rows = found.map(({ id, count, kinds }) => [
    printable(id),
    `${counted(count, "secret")}: ${kinds.join(", ")}`,
  ]);
  if (options.redact !== true) {
    context.exitStatus = EXIT.findings;
    output.note("Take them out with: holdfast memory scan --secrets --redact");
    output.result({ scanned, found, redacted: 0 }, columns(rows));
    return;
  }
  const question = `Take the secrets out of ${counted(found.length, "memory")}? It cannot be undone.`;
  if (!(await context.confirm(question, options))) {
    output.result({ scanned, found, redacted: 0 }, "Nothing was changed.");
    return;
  }
  const redacted = await withMemory(context, (memory) => redact(memory, redactor, found, context));
  output.warn(
    "Chroma's own files, backups and what was set aside may still hold them. Change these secrets where they are used",
  );
  output.result({ scanned, found, redacted }, columns(rows));
}

const PAGE = 500;

/** Looks through all that this machine's mirror holds. */
function find(memory: Memory, redactor: Redactor): { found: Finding[]; scanned: number } {
  const found: Finding[] = [];
  let scanned = 0;
  for (let after: string | undefined; ;) {
    const page = memory.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const record of page.memories) {
      const { redactions: count, kinds } = redactContent(contentOf(record), redactor);
      if (count > 0) found.push({ id: record.id, count, kinds });
    }
    scanned += page.memories.length;
    after = page.memories.at(-1)?.id;
    if (page.memories.length < PAGE) return { found, scanned };
  }
}

/** Ids and scopes are what things are found by; they are left as they are. */
function contentOf({
  text,
  metadata,
  tags,
}: MemoryRecord): Pick<MemoryRecord, "text" | "metadata" | "tags"> {
  return { text, metadata, tags };
}

async function redact(
  memory: Memory,
  redactor: Redactor,
  found: readonly Finding[],
  { signal }: Context,
): Promise<number> {
  let redacted = 0;
  for (const { id } of found) {
    signal.throwIfAborted();
    // It may have been changed or forgotten meanwhile.
    // oxlint-disable-next-line no-await-in-loop
    const { memory: record } = await memory.get(id, { signal });
    if (record === undefined) continue;
    const { content } = redactContent(contentOf(record), redactor);
    // oxlint-disable-next-line no-await-in-loop
    await memory.update(id, content, { erase: true, waitMs: 0, signal });
    redacted += 1;
  }
  // oxlint-disable-next-line no-await-in-loop
  await memory.drain({ signal });
  return redacted;
}
