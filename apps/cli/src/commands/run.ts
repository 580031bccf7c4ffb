import type { Command } from "commander";
import { loadConfig, type LoadedConfig } from "@holdfast/config";
import type { Redact, TriggerEvent } from "@holdfast/memory/capture";
import type { Context } from "../context.ts";
import { example } from "../help.ts";
import { leaveTerminal } from "../run/leave-terminal.ts";
import { endBy } from "../run/pass-signals.ts";
import { type ProgramEnd, runProgram } from "../run/run-program.ts";
import type { Captured } from "../triggers/capture-event.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<command...>", "a program and its arguments, after --")
    .usage("[options] -- <command...>")
    .action((words: string[]) => run(words, context));
  example(command, ["holdfast run -- npm test", "holdfast run -- ssh build.example.com make"]);
}

/** Nobody waits longer than this for another process's write. */
const BUSY_TIMEOUT_MS = 1_000;

async function run(words: readonly string[], context: Context): Promise<void> {
  const remembered = context.trigger ? memoryOf(context) : undefined;
  const loaded = remembered?.loaded;
  const end = await runProgram(words, loaded?.config.triggers.stderr_tail ?? 0);
  if (loaded !== undefined) await remember(words, end, loaded, context);
  context.exitStatus = end.signal === null ? (end.exitCode ?? 1) : await endBy(end.signal);
  leaveTerminal();
}

/** A configuration that is wrong is no reason not to run a program. */
function memoryOf(context: Context): { loaded: LoadedConfig } | undefined {
  try {
    const loaded = loadConfig(context.loadOptions);
    const { enabled, triggers } = loaded.config;
    return enabled && triggers.enabled ? { loaded } : undefined;
  } catch (error) {
    told(context, `not remembered: ${(error as Error).message}`);
    return undefined;
  }
}

async function remember(
  words: readonly string[],
  end: ProgramEnd,
  loaded: LoadedConfig,
  context: Context,
): Promise<void> {
  try {
    const { captureEvent } = await import("../triggers/capture-event.ts");
    const { programEvent } = await import("../run/program-event.ts");
    const tell = (message: string): void => told(context, message);
    const { environment, workingDirectory: directory } = context;
    const stderrBytesMax = loaded.config.triggers.stderr_tail;
    const eventOf = (redact: Redact): TriggerEvent =>
      programEvent(words, end, { directory, stderrBytesMax, redact });
    const deps = { loaded, environment, busyTimeoutMs: BUSY_TIMEOUT_MS, tell };
    const captured: Captured = await captureEvent(eventOf, deps);
    told(context, `remembered: ${captured.result}`);
  } catch (error) {
    told(context, `not remembered: ${(error as Error).message}`);
  }
}

function told({ output }: Context, message: string): void {
  if (output.verbose) output.note(message);
}
