import { HoldfastError } from "@holdfast/core";
import { isObject } from "./hook-input.ts";
import { appended, memberAt, membersAt, removed, type Style, styleOf } from "./json-text.ts";

/** The events that Holdfast is told of. */
export const HOOK_EVENTS: readonly string[] = [
  "SessionStart",
  "UserPromptSubmit",
  "PostToolUse",
  "PostToolUseFailure",
  "Stop",
  "SubagentStop",
  "PreCompact",
  "PostCompact",
  "SessionEnd",
];

/** In seconds, as the settings have it; Holdfast itself needs far less. */
const TIMEOUT = 60;
const OURS = /\bhook claude-code\b/;

export interface SettingsChange {
  /** The file's new text; undefined when there is no file, and need not be. */
  text: string | undefined;
  /** The events whose hooks were added or removed. */
  events: readonly string[];
}

/** Settings with our hook on every event that has none; all else stays as it is written. */
export function withHooks(
  before: string | undefined,
  command: string,
  file: string,
): SettingsChange {
  const hooks = hooksOf(parse(before, file), file);
  const events = HOOK_EVENTS.filter((event) => !groupsOf(hooks, event, file).some(isOurs));
  if (events.length === 0) return { text: before, events };
  const ours = { hooks: [{ type: "command", command, timeout: TIMEOUT }] };
  let text = before === undefined || before.trim() === "" ? "{}\n" : before;
  const style = styleOf(text);
  const root = text.indexOf("{");
  if (memberAt(text, root, "hooks") === undefined)
    text = appended(text, root, { key: "hooks", value: {}, depth: 0 }, style);
  for (const event of events) {
    const open = memberAt(text, root, "hooks")?.value ?? root;
    const list = memberAt(text, open, event);
    text =
      list === undefined
        ? appended(text, open, { key: event, value: [ours], depth: 1 }, style)
        : appended(text, list.value, { value: ours, depth: 2 }, style);
  }
  return { text, events };
}

/** Settings without our hooks. They may be empty then, but stay: nobody knows whether they were before. */
export function withoutHooks(before: string | undefined, file: string): SettingsChange {
  const hooks = hooksOf(parse(before, file), file);
  const events = Object.keys(hooks).filter((event) => groupsOf(hooks, event, file).some(isOurs));
  if (before === undefined || events.length === 0) return { text: before, events };
  const style = styleOf(before);
  const root = before.indexOf("{");
  let text = before;
  for (const event of events) text = withoutEvent(text, root, event, style);
  const open = memberAt(text, root, "hooks")?.value ?? root;
  if (membersAt(text, open).length === 0) text = withoutMember(text, root, "hooks", 0, style);
  return { text, events };
}

function withoutEvent(before: string, root: number, event: string, style: Style): string {
  let text = before;
  const open = memberAt(text, root, "hooks")?.value ?? root;
  const list = memberAt(text, open, event)?.value ?? root;
  // From the end, so that what was found stays where it is.
  for (const [index, group] of [...membersAt(text, list).entries()].toReversed()) {
    const value: unknown = JSON.parse(text.slice(group.value, group.end));
    if (!isOurs(value)) continue;
    const commands = commandsOf(value);
    if (commands.every(isOurCommand)) {
      text = removed(text, list, { index, depth: 2 }, style);
      continue;
    }
    const inner = memberAt(text, group.value, "hooks")?.value ?? root;
    for (const [at, hook] of [...commands.entries()].toReversed())
      if (isOurCommand(hook)) text = removed(text, inner, { index: at, depth: 4 }, style);
  }
  return membersAt(text, list).length === 0 ? withoutMember(text, open, event, 1, style) : text;
}

function withoutMember(
  text: string,
  open: number,
  key: string,
  depth: number,
  style: Style,
): string {
  const index = membersAt(text, open).findLastIndex((member) => member.key === key);
  return removed(text, open, { index, depth }, style);
}

function parse(text: string | undefined, file: string): Record<string, unknown> {
  if (text === undefined || text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw refused(file, `is not JSON: ${(error as Error).message}`, error);
  }
  if (!isObject(value)) throw refused(file, "holds no object");
  return value;
}

function hooksOf(settings: Record<string, unknown>, file: string): Record<string, unknown> {
  const { hooks = {} } = settings;
  if (!isObject(hooks)) throw refused(file, "has hooks that are no object");
  return hooks;
}

function groupsOf(hooks: Record<string, unknown>, event: string, file: string): unknown[] {
  const groups = Object.hasOwn(hooks, event) ? hooks[event] : [];
  if (!Array.isArray(groups)) throw refused(file, `has hooks.${event}, which is no list`);
  return groups as unknown[];
}

function commandsOf(group: unknown): unknown[] {
  return isObject(group) && Array.isArray(group["hooks"]) ? (group["hooks"] as unknown[]) : [];
}

function isOurCommand(hook: unknown): boolean {
  return isObject(hook) && typeof hook["command"] === "string" && OURS.test(hook["command"]);
}

function isOurs(group: unknown): boolean {
  return commandsOf(group).some(isOurCommand);
}

function refused(file: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError(`${file} ${why}`, {
    code: "HOOK_SETTINGS_INVALID",
    hint: "Nothing was changed. Correct the file, and run the command again.",
    ...(cause === undefined ? {} : { cause }),
  });
}
