import type { Command } from "commander";
import type { Filter, ForgetResult, Memory, MemoryRecord } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import type { PurgeReport, Remains } from "../../forget/purge.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { filterOf, filterOptions, type SelectionOptions, usage } from "../../selection.ts";
import { withMemory } from "../../wire.ts";
import { counted } from "../../counted.ts";

interface ForgetOptions extends SelectionOptions {
  dryRun?: boolean;
  purge?: boolean;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  filterOptions(command.argument("[id...]", "the memories to forget"))
    .option("--dry-run", "only say what would be forgotten")
    .option("--purge", "also out of Chroma's own files, and say what still holds it")
    .option("--yes", "do not ask")
    .action((ids: string[], options: ForgetOptions) => forget(ids, options, context));
  example(command, [
    "holdfast memory forget 0198c0de-0000-7000-8000-000000000000",
    "holdfast memory forget --user ada --dry-run",
    "holdfast memory forget --user ada --purge",
  ]);
}

async function forget(ids: string[], options: ForgetOptions, context: Context): Promise<void> {
  const selector = selectorOf(ids, options);
  const { output, signal } = context;
  const purging = options.purge === true && !options.dryRun;
  const done = await withMemory(context, async (memory, parts): Promise<Done | undefined> => {
    const planned = await memory.forget(selector, { dryRun: true, signal });
    // Also what was forgotten earlier can be purged, by its id.
    const all = purging ? [...new Set([...planned.ids, ...ids])] : planned.ids;
    if (options.dryRun || all.length === 0) return { result: planned, all, memories: [] };
    const question = `Forget ${counted(planned.ids.length, "memory")}${purging ? ", and purge" : ""}? It cannot be undone.`;
    if (!(await context.confirm(question, options))) return undefined;
    const memories = purging ? await remembered(memory, planned.ids) : [];
    // What was shown is what is forgotten, though others may write meanwhile.
    const result =
      planned.ids.length === 0 ? planned : await memory.forget(planned.ids, { signal });
    if (!purging || result.durability !== "stored") return { result, all, memories };
    const { purgeCopies } = await import("../../forget/purge.ts");
    const name = parts.workspace.config.vector_store.config.collection_name;
    return { result, all, memories, copies: await purgeCopies(parts.store, name, all) };
  });
  if (done === undefined) {
    output.result({ ids: [] }, "Nothing was forgotten.");
    return;
  }
  const { result } = done;
  if (!options.dryRun && result.durability !== "stored" && result.ids.length > 0)
    output.warn(`forgotten here; the store follows by itself, not yet: ${reasonOf(result)}`);
  const purged = purging && done.all.length > 0 ? await purge(done, context) : undefined;
  output.result(
    { ...result, dryRun: options.dryRun === true, ...(purged === undefined ? {} : { purged }) },
    [
      text(result, options),
      ...(purged === undefined ? [] : purgeText(purged, done.all.length)),
    ].join("\n"),
  );
}

interface Done {
  result: ForgetResult;
  /** What is purged. */
  all: readonly string[];
  /** What was known of them before. */
  memories: readonly MemoryRecord[];
  /** Undefined as long as the store has not forgotten them. */
  copies?: readonly string[];
}

async function remembered(memory: Memory, ids: readonly string[]): Promise<MemoryRecord[]> {
  const found: MemoryRecord[] = [];
  for (const id of ids) {
    const { memory: known } = await memory.get(id);
    if (known !== undefined) found.push(known);
  }
  return found;
}

async function purge({ all, memories, copies }: Done, context: Context): Promise<PurgeReport> {
  const { compactManaged, findRemains, purgeEvents } = await import("../../forget/purge.ts");
  const loaded = context.config();
  const compacted = copies !== undefined && (await compactManaged(loaded, all, context));
  await purgeEvents(loaded, all);
  const report = {
    compacted,
    collections: copies ?? [],
    ...(await findRemains(loaded, memories)),
  };
  if (copies === undefined)
    context.output.warn("Chroma's files are purged once it has forgotten: run this again then");
  if (report.remains.length > 0 || copies === undefined) context.exitStatus = EXIT.degraded;
  return report;
}

function selectorOf(ids: string[], options: SelectionOptions): readonly string[] | Filter {
  const filter = filterOf(options);
  if (ids.length > 0 && Object.keys(filter).length > 0)
    throw usage("Ids and a filter were given; it must be one of them", "Leave one of them out.");
  return ids.length > 0 ? ids : filter;
}

const reasonOf = (result: ForgetResult): string =>
  result.reason ?? "the store has not confirmed it yet";

function text({ ids }: ForgetResult, options: ForgetOptions): string {
  const { dryRun } = options;
  if (ids.length === 0) return "Nothing matches.";
  const head = dryRun
    ? `Would forget ${counted(ids.length, "memory")}:`
    : `Forgot ${counted(ids.length, "memory")}:`;
  const rest =
    dryRun || options.purge
      ? []
      : [
          "Chroma's own files, copies and backups may hold it still. See which: holdfast memory forget ID --purge",
        ];
  return [head, ...ids.map((id) => `  ${printable(id)}`), ...rest].join("\n");
}

function purgeText(
  { compacted, collections, remains, backups, searchedFor }: PurgeReport,
  purged: number,
): string[] {
  const unknown = "too short, too many, or not known any more";
  return [
    compacted
      ? "Chroma's files were compacted, vectors included."
      : "Chroma's own files were not touched: it runs elsewhere, or has not forgotten yet.",
    ...(collections.length === 0 ? [] : [`Deleted from ${collections.join(", ")} as well.`]),
    remains.length > 0
      ? "It can still be read in:"
      : searchedFor === 0
        ? "No file was searched for it: its text is too short, or not known any more."
        : searchedFor < purged
          ? `No file of this workspace holds the ${searchedFor} searched for; the rest were ${unknown}.`
          : "No file of this workspace holds it in the clear.",
    ...remains.map(({ path, what }) => `  ${printable(path)} (${WAYS_OUT[what]})`),
    ...(backups.length === 0
      ? []
      : [
          "Backups that may hold it, where a restore leaves it out:",
          ...backups.map((path) => `  ${printable(path)}`),
        ]),
  ];
}

const WAYS_OUT: Readonly<Record<Remains["what"], string>> = {
  chroma: "Chroma's own: under another id or collection, or try again when nobody uses it",
  quarantine: "holdfast memory quarantine prune",
  damaged: "a damaged outbox that was set aside; remove it when nothing is missed",
  archive: "memory prune has written it; remove it",
  state: "kept by this workspace, under another id or collection",
};
