import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";

export function register(command: Command, context: Context): void {
  command.action(() => answer(context));
  example(command, [
    "holdfast hook claude-code < event.json",
    `echo '{"hook_event_name":"UserPromptSubmit","prompt":"which Node?"}' | holdfast hook claude-code`,
  ]);
}

const INPUT_BYTES_MAX = 32 * 1024 * 1024;
/** An agent that opens the pipe and says nothing is not waited for. */
const INPUT_WAIT_MS = 5_000;

/** Whatever happens, the agent goes on: nothing on stderr but with --verbose, and exit status 0. */
async function answer(context: Context): Promise<void> {
  const say = (message: string): void => {
    if (context.output.verbose) context.output.note(message);
  };
  const tell = (error: Error): void => say(`not remembered: ${error.message}`);
  process.removeAllListeners("warning").on("warning", tell);
  process.stdout.removeAllListeners("error").on("error", tell);
  process.on("uncaughtException", (error) => {
    tell(error);
    process.exit(0);
  });
  if (!context.trigger) return;
  try {
    const { handleHook } = await import("../../hook/handle-hook.ts");
    await handleHook(await standardInput(), {
      loadOptions: context.loadOptions,
      environment: context.environment,
      elapsedMs: () => performance.now(),
      answer: (text) => process.stdout.write(text),
      tell: say,
    });
  } catch (error) {
    tell(error as Error);
  }
}

/** All of stdin, or what there is of it after a while. */
async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = setTimeout(() => process.stdin.destroy(), INPUT_WAIT_MS);
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > INPUT_BYTES_MAX) break;
    }
  } catch {
    // Cut short: what came may still be an event.
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks).toString("utf8");
}
