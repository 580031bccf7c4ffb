/**
 * A coding agent's hook event, as Claude Code publishes it (code.claude.com/docs/en/hooks): one JSON
 * object on stdin. Every field but the name may be missing; others are ignored.
 */
export interface HookInput {
  hook_event_name: string;
  session_id?: string;
  cwd?: string;
  /** SessionStart. */
  source?: string;
  /** UserPromptSubmit. */
  prompt?: string;
  /** PreToolUse, PostToolUse, PostToolUseFailure. */
  tool_name?: string;
  tool_input?: Readonly<Record<string, unknown>>;
  /** PostToolUseFailure. */
  error?: string;
  /** Stop, SubagentStop. */
  last_assistant_message?: string;
  agent_type?: string;
  /** SessionEnd. */
  reason?: string;
  /** PreCompact. */
  trigger?: string;
  custom_instructions?: string;
  /** PostCompact. */
  compact_summary?: string;
}

const TEXTS = [
  "hook_event_name",
  "session_id",
  "cwd",
  "source",
  "prompt",
  "tool_name",
  "error",
  "last_assistant_message",
  "agent_type",
  "reason",
  "trigger",
  "custom_instructions",
  "compact_summary",
] as const;

/** What of a text is a hook event; undefined when it is none. Fields of another type are left out. */
export function parseHookInput(text: string): HookInput | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whatever it is, it is no event.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const input: Record<string, unknown> = {};
  for (const key of TEXTS) {
    const field = value[key];
    if (typeof field === "string") input[key] = field.toWellFormed();
  }
  if (isObject(value["tool_input"])) input["tool_input"] = value["tool_input"];
  return typeof input["hook_event_name"] === "string" ? (input as unknown as HookInput) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
