import { type Command, Option } from "commander";
import type { SyncOptions, SyncReport } from "@holdfast/memory";
import { refusedText } from "../../backup/backup-text.ts";
import { progressTeller } from "../../backup/tell-progress.ts";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { withMemory } from "../../wire.ts";
import { counted } from "../../counted.ts";

type Vanished = NonNullable<SyncOptions["vanished"]>;

interface Options {
  collection?: string;
  vectors?: boolean;
  vanished: Vanished;
  yes?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--collection <name>", "the collection; default: the configured one")
    .option("--vectors", "also compare the vectors of records that say the same as before")
    .addOption(
      new Option("--vanished <what>", "what becomes of records that the store has lost since")
        .choices(["keep", "drop", "restore"])
        .default("keep"),
    )
    .option("--yes", "do not ask")
    .action((options: Options) => sync(options, context));
  example(command, [
    "holdfast memory sync",
    "holdfast memory sync --collection documents",
    "holdfast memory sync --vanished restore",
  ]);
}

const QUESTIONS: Readonly<Record<Exclude<Vanished, "keep">, string>> = {
  drop: "Remove what the store has lost from the mirror too? It cannot be undone.",
  restore: "Write what the store has lost into it again?",
};

async function sync(options: Options, context: Context): Promise<void> {
  const { output, signal } = context;
  const { vanished } = options;
  if (vanished !== "keep" && !(await context.confirm(QUESTIONS[vanished], options))) {
    output.result({ scanned: 0 }, "Nothing was changed.");
    return;
  }
  const progress = progressTeller(output);
  const onProgress = (done: number, total: number): void =>
    progress.onProgress({ stage: "others", done, total });
  const { syncMemory } = await import("@holdfast/memory");
  const { collection, report } = await withMemory(context, async (_memory, parts) => {
    const { config, stateDirectory } = parts.workspace;
    const name = options.collection ?? config.vector_store.config.collection_name;
    const vectors = options.vectors === true;
    const target = { stateDirectory, collection: name };
    const asked = { vectors, vanished, onProgress, signal };
    return { collection: name, report: await syncMemory(target, parts, asked) };
  });
  progress.done();
  if (report.keptVanished > 0)
    output.warn(
      `${counted(report.keptVanished, "record")} that the store has lost, kept in the mirror; put them back with --vanished restore, or let them go with --vanished drop`,
    );
  if (report.refused.length > 0) output.warn(refusedText(report.refused));
  if (report.forgotten > 0)
    output.warn(
      `${counted(report.forgotten, "record")} forgotten here, and in the store nonetheless; forget them there: holdfast memory forget ${report.samples.forgotten.map(printable).join(" ")}`,
    );
  output.result({ collection, ...report }, text(collection, report));
}

function text(collection: string, report: SyncReport): string {
  const { scanned, ours, held, dropped, restored, resumed, samples } = report;
  const kinds = ["added", "changed", "returned", "vanished"] as const;
  const lines = kinds
    .filter((kind) => report[kind] > 0)
    .map((kind) => {
      const more = report[kind] > samples[kind].length ? " …" : "";
      return `  ${kind} ${report[kind]}: ${samples[kind].map(printable).join(", ")}${more}`;
    });
  const settled = [
    ...(dropped > 0 ? [`Removed ${counted(dropped, "record")} from the mirror.`] : []),
    ...(restored > 0 ? [`Wrote ${counted(restored, "record")} into the store again.`] : []),
  ];
  return [
    `${resumed ? "Finished a sync of" : "Synced"} ${collection}: ${counted(scanned, "record")} looked at, ${ours} written through here.`,
    ...(lines.length === 0 ? ["  nothing has changed"] : lines),
    ...settled,
    `The mirror covers ${counted(held, "record")} of other programs.`,
  ].join("\n");
}
