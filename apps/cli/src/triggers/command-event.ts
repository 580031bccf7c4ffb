import type { Redact, TriggerEvent } from "@holdfast/memory/capture";
import { type CaptureDeps, captureEvent, triggersEnabled } from "./capture-event.ts";
import { commandLine, spoken } from "./command-line.ts";
import { type CommandEnd, OWN_TAG } from "./command-trigger.ts";

/** Journals a command that has ended, unless triggers are off. @throws as `captureEvent`. */
export async function captureCommand(end: CommandEnd, deps: CaptureDeps): Promise<void> {
  if (!triggersEnabled(deps.loaded.config)) return;
  await captureEvent((redact) => commandEvent(end, redact), deps);
}

/** A command of Holdfast, as it is remembered: what was asked, how it ended, and how long it took. */
function commandEvent(
  { entry, argv, status, error, durationMs }: CommandEnd,
  redact: Redact,
): TriggerEvent {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  const failed = error !== undefined;
  const how = failed ? `failed with exit code ${status}` : `ended with exit code ${status}`;
  const why = failed && typeof code === "string" ? ` (${code})` : "";
  return {
    type: "command",
    text: `${commandLine(entry, argv, redact)} ${how}${why} after ${spoken(durationMs)}`,
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
