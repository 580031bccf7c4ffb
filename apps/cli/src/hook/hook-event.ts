import { basename } from "node:path";
import { type Redact, redactedCut, type TriggerEvent } from "@holdfast/memory/capture";
import type { HookInput } from "./hook-input.ts";

/** Tools that only look: what they saw is still there to be looked at. */
const LOOKING: ReadonlySet<string> = new Set([
  "Read",
  "Grep",
  "Glob",
  "LS",
  "NotebookRead",
  "TodoRead",
  "TodoWrite",
  "BashOutput",
  "ToolSearch",
]);
/** Of a tool's input, what says best what it did, the best first. */
const SAYING = ["command", "file_path", "notebook_path", "url", "query", "description", "prompt"];
const INPUT_LENGTH_MAX = 1_000;

/** What of a hook event is worth remembering; undefined when nothing is. */
export function eventOfHook(
  input: HookInput,
  project: string | undefined,
  redact: Redact,
): TriggerEvent | undefined {
  const told = tell(input, redact);
  if (told === undefined) return undefined;
  const { session_id: session } = input;
  return {
    ...told,
    source: "claude-code",
    tags: ["hook", ...(told.tags ?? [])],
    scope: {
      agent: "claude-code",
      ...(session === undefined || session === "" ? {} : { session }),
      ...(project === undefined ? {} : { project }),
    },
    metadata: { ...told.metadata, event: input.hook_event_name },
  };
}

/** A folder's name, by which its memories are one project's. */
export function projectOf(folder: string): string | undefined {
  return basename(folder) || undefined;
}

function tell(input: HookInput, redact: Redact): TriggerEvent | undefined {
  switch (input.hook_event_name) {
    case "SessionStart":
      return { type: "agent", text: `A session began (${input.source ?? "startup"})` };
    case "UserPromptSubmit":
      return input.prompt ? { type: "agent", text: input.prompt, tags: ["prompt"] } : undefined;
    case "PostToolUse":
      return tellTool(input, "success", redact);
    case "PostToolUseFailure":
      return tellTool(input, "error", redact);
    case "Stop":
      return tellAnswer(input, "The agent");
    case "SubagentStop":
      return tellAnswer(input, `The agent ${input.agent_type ?? "below"}`);
    case "PreCompact": {
      const wish = input.custom_instructions ? `: ${input.custom_instructions}` : "";
      return {
        type: "workflow",
        text: `The context is compacted (${input.trigger ?? "auto"})${wish}`,
      };
    }
    case "PostCompact":
      return input.compact_summary?.trim()
        ? {
            type: "workflow",
            text: `What the session was about: ${input.compact_summary.trim()}`,
            tags: ["summary"],
          }
        : undefined;
    case "SessionEnd":
      return { type: "agent", text: `The session ended (${input.reason ?? "other"})` };
    default:
      return undefined;
  }
}

function tellAnswer(input: HookInput, who: string): TriggerEvent | undefined {
  const answer = input.last_assistant_message?.trim();
  return answer
    ? { type: "agent", text: `${who} answered: ${answer}`, tags: ["answer"] }
    : undefined;
}

function tellTool(
  input: HookInput,
  outcome: "success" | "error",
  redact: Redact,
): TriggerEvent | undefined {
  const tool = input.tool_name ?? "a tool";
  if (outcome === "success" && LOOKING.has(tool)) return undefined;
  const said = `${tool}: ${sayingOf(input.tool_input ?? {}, redact)}`;
  const failure = outcome === "error" ? ` failed: ${input.error ?? "it did not say why"}` : "";
  return {
    type: tool === "Bash" ? "command" : outcome === "error" ? "error" : "task",
    text: `${said}${failure}`,
    outcome,
    tags: ["tool", ...(outcome === "error" ? ["failure"] : [])],
    metadata: { tool },
  };
}

function sayingOf(input: Readonly<Record<string, unknown>>, redact: Redact): string {
  const key = SAYING.find((name) => typeof input[name] === "string");
  const text = key === undefined ? JSON.stringify(input) : (input[key] as string);
  return redactedCut(text, INPUT_LENGTH_MAX, redact);
}
