import type { CommandEntry } from "../catalogue.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";
import { OWN_TAG } from "../selection.ts";
import { commandLine, spoken } from "./command-line.ts";

/** How a command ended. */
export interface CommandEnd {
  entry: CommandEntry | undefined;
  argv: readonly string[];
  status: number;
  error: unknown;
  durationMs: number;
}

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
    const { captureEvent, triggersEnabled } = await import("./capture-event.ts");
    if (!triggersEnabled(loaded.config)) return;
    const { environment } = context;
    const deps = { loaded, environment, busyTimeoutMs: BUSY_TIMEOUT_MS, tell };
    await captureEvent(eventOf(end), deps);
  } catch (error) {
    tell(`not remembered: ${(error as Error).message}`);
  }
}

function eventOf({ entry, argv, status, error, durationMs }: CommandEnd): {
  type: "command";
  text: string;
  outcome: "success" | "error";
  durationMs: number;
  source: string;
  tags: string[];
  metadata: Record<string, string | number>;
} {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  const failed = error !== undefined;
  const how = failed ? `failed with exit code ${status}` : `ended with exit code ${status}`;
  const why = failed && typeof code === "string" ? ` (${code})` : "";
  return {
    type: "command",
    text: `${commandLine(entry, argv)} ${how}${why} after ${spoken(durationMs)}`,
    outcome: failed ? "error" : "success",
    durationMs,
    source: "holdfast",
    tags: [OWN_TAG],
    metadata: {
      command: entry?.name ?? "holdfast",
      exit_status: status,
      ...(typeof code === "string" ? { error_code: code } : {}),
    },
  };
}
