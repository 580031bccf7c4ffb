import { CommanderError } from "commander";
import { HoldfastError } from "@holdfast/core";
import { createContext } from "./context.ts";
import { EXIT, type ExitStatus, statusOf } from "./exit-codes.ts";
import { globalOptions } from "./global-options.ts";
import { Output } from "./output.ts";
import { buildProgram, entryOf, helpCommand, usageError } from "./program.ts";
import { version } from "./start.ts";

/** Runs one command line to its exit status. Every error ends here, and only here. */
export async function main(argv: readonly string[]): Promise<ExitStatus> {
  const entry = entryOf(argv);
  const options = globalOptions(argv);
  const output = new Output({ ...options, command: entry?.name ?? "holdfast" });
  const interruption = abortOnSignals();
  try {
    const context = createContext(options, output, interruption.signal);
    const program = await buildProgram(entry === undefined ? [] : [entry], context);
    program.on("option:version", () => {
      output.result({ version: version() }, version());
      throw new CommanderError(EXIT.ok, "commander.version", "");
    });
    await program.parseAsync([...argv], { from: "user" });
    interruption.signal.throwIfAborted();
    return context.exitStatus;
  } catch (error) {
    return report(interruption.signal.aborted ? interruption.signal.reason : error, argv, output);
  } finally {
    interruption.stop();
  }
}

function report(error: unknown, argv: readonly string[], output: Output): ExitStatus {
  if (error instanceof CommanderError && error.exitCode === EXIT.ok) return EXIT.ok;
  // A group without a command: commander has written the group's help.
  const helped = error instanceof CommanderError && error.code === "commander.help";
  if (helped && !output.json) return EXIT.usage;
  const told = error instanceof CommanderError ? usageError(error, argv) : error;
  output.fail(told, statusOf(told) === EXIT.usage ? helpCommand(argv) : undefined);
  return statusOf(told);
}

interface Interruption {
  signal: AbortSignal;
  stop(): void;
}

/** The first signal lets the command clean up; the second ends it. */
function abortOnSignals(): Interruption {
  const controller = new AbortController();
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
