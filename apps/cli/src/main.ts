import { CommanderError } from "commander";
import { HoldfastError } from "@holdfast/core";
import type { CommandEntry } from "./catalogue.ts";
import { type Context, createContext } from "./context.ts";
import { EXIT, type ExitStatus, statusOf } from "./exit-codes.ts";
import { globalOptions } from "./global-options.ts";
import { Output } from "./output.ts";
import { buildProgram, entryOf, familyOf, helpCommand, inFull, usageError } from "./program.ts";
import { version } from "./start.ts";
import { rememberCommand } from "./triggers/command-trigger.ts";

/** Runs one command line to its exit status, and remembers it. Every error ends here, and only here. */
export async function main(given: readonly string[]): Promise<number> {
  const argv = inFull(given);
  // Not `performance`, which loads what nothing else here needs.
  const began = process.hrtime.bigint();
  const entry = entryOf(argv);
  const options = globalOptions(argv);
  const output = new Output({ ...options, command: entry?.name ?? "holdfast" });
  const interruption = entry?.trigger === "own" ? undisturbed() : abortOnSignals();
  let context: Context | undefined;
  let end: { status: number; error?: unknown };
  try {
    context = createContext(options, output, interruption.signal);
    end = { status: await run(argv, entry, context) };
  } catch (error) {
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
    if (reason === NOBODY_READS) end = { status: EXIT.ok };
    else end = { status: report(reason, argv, output), error: reason };
  } finally {
    interruption.stop();
  }
  const durationMs = Number(process.hrtime.bigint() - began) / 1e6;
  await rememberCommand({ entry, argv, error: undefined, ...end, durationMs }, context, output);
  return end.status;
}

async function run(
  argv: readonly string[],
  entry: CommandEntry | undefined,
  context: Context,
): Promise<number> {
  const { output, signal } = context;
  const program = await (entry === undefined
    ? buildProgram([], context)
    : buildProgram([entry], context, familyOf(entry)));
  program.on("option:version", () => {
    output.result({ version: version() }, version());
    throw new CommanderError(EXIT.ok, "commander.version", "");
  });
  await program.parseAsync([...argv], { from: "user" });
  signal.throwIfAborted();
  return context.exitStatus;
}

function report(error: unknown, argv: readonly string[], output: Output): ExitStatus {
  if (error instanceof CommanderError && error.exitCode === EXIT.ok) return EXIT.ok;
  // A group without a command: commander has written the group's help.
  const helped = error instanceof CommanderError && error.code === "commander.help";
  if (helped && !output.json) return EXIT.usage;
  const told = error instanceof CommanderError ? usageError(error, argv) : error;
  output.fail(told, nextOf(statusOf(told), argv));
  return statusOf(told);
}

/** What to do where an error does not say so itself. */
function nextOf(status: ExitStatus, argv: readonly string[]): string | undefined {
  if (status === EXIT.usage) return helpCommand(argv);
  return status === EXIT.unavailable ? "See why with: holdfast health" : undefined;
}

interface Interruption {
  signal: AbortSignal;
  stop(): void;
}

function undisturbed(): Interruption {
  return { signal: new AbortController().signal, stop: () => undefined };
}

const NOBODY_READS = new Error("Nobody reads what is written");

/** The first signal lets the command clean up, as a reader who leaves does; the second ends it. */
function abortOnSignals(): Interruption {
  const controller = new AbortController();
  process.stdout.on("error", () => controller.abort(NOBODY_READS));
  const listen = (name: NodeJS.Signals, code: string, status: ExitStatus): (() => void) => {
    const listener = (): void => {
      if (controller.signal.aborted) process.exit(status);
      controller.abort(new HoldfastError(`Ended by ${name}`, { code }));
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  };
  const stops = [
    listen("SIGINT", "INTERRUPTED", EXIT.interrupted),
    listen("SIGTERM", "TERMINATED", EXIT.terminated),
  ];
  return { signal: controller.signal, stop: () => stops.forEach((stop) => stop()) };
}
