import type { CommandEntry } from "../catalogue.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";

/** How a command ended. */
export interface CommandEnd {
  entry: CommandEntry | undefined;
  argv: readonly string[];
  status: number;
  error: unknown;
  durationMs: number;
}

/** Marks Holdfast's own commands, which are only shown when they are asked for. */
export const OWN_TAG = "holdfast";

/** No command is kept waiting longer than this for another process's write. */
const BUSY_TIMEOUT_MS = 50;

/**
 * Remembers a command that has ended, after all it had to say was said. Commands that looked at no
 * configuration concern no workspace, and are not remembered. Never fails; what went wrong is told
 * with `--verbose`.
 */
export async function rememberCommand(
  end: CommandEnd,
  context: Context | undefined,
  output: Output,
): Promise<void> {
  const loaded = context?.loaded;
  if (context === undefined || loaded === undefined || end.entry?.trigger === "own") return;
  const tell = (message: string): void => {
    if (output.verbose) output.note(message);
  };
  if (!context.trigger || !loaded.config.triggers.commands) return;
  try {
    const { captureCommand } = await import("./command-event.ts");
    const { environment } = context;
    await captureCommand(end, { loaded, environment, busyTimeoutMs: BUSY_TIMEOUT_MS, tell });
  } catch (error) {
    tell(`not remembered: ${(error as Error).message}`);
  }
}
