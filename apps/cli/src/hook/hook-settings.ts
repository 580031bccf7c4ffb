import { HoldfastError } from "@holdfast/core";
import { isObject } from "./hook-input.ts";

/** The events that Holdfast is told of. */
export const HOOK_EVENTS: readonly string[] = [
  "SessionStart",
  "UserPromptSubmit",
  "PostToolUse",
  "PostToolUseFailure",
  "Stop",
  "SubagentStop",
  "PreCompact",
  "SessionEnd",
];

/** In seconds, as the settings have it; Holdfast itself needs far less. */
const TIMEOUT = 10;
const OURS = /\bhook claude-code\b/;

export interface SettingsChange {
  /** The file's new text; undefined when it need not be there. */
  text: string | undefined;
  /** The events whose hooks were added or removed. */
  events: readonly string[];
}

/** Settings with our hook on every event that has none; all else is as it was. */
export function withHooks(text: string | undefined, command: string, file: string): SettingsChange {
  const settings = parse(text, file);
  const hooks = hooksOf(settings, file);
  const events = HOOK_EVENTS.filter((event) => !groupsOf(hooks, event, file).some(isOurs));
  if (events.length === 0) return { text, events };
  const added = Object.fromEntries(
    events.map((event) => [
      event,
      [
        ...groupsOf(hooks, event, file),
        { hooks: [{ type: "command", command, timeout: TIMEOUT }] },
      ],
    ]),
  );
  return { text: write({ ...settings, hooks: { ...hooks, ...added } }, text), events };
}

/** Settings without our hooks; what they leave empty goes with them. */
export function withoutHooks(text: string | undefined, file: string): SettingsChange {
  const settings = parse(text, file);
  const hooks = hooksOf(settings, file);
  const events = Object.keys(hooks).filter((event) => groupsOf(hooks, event, file).some(isOurs));
  if (events.length === 0) return { text, events };
  const left = Object.entries(hooks).flatMap(([event, groups]) => {
    if (!events.includes(event)) return [[event, groups] as const];
    const others = groupsOf(hooks, event, file).flatMap(withoutOurs);
    return others.length === 0 ? [] : [[event, others] as const];
  });
  const { hooks: _ours, ...rest } = settings;
  const next = left.length === 0 ? rest : { ...settings, hooks: Object.fromEntries(left) };
  return { text: Object.keys(next).length === 0 ? undefined : write(next, text), events };
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

/** A group of hooks without ours, or nothing when there was no other. */
function withoutOurs(group: unknown): unknown[] {
  if (!isOurs(group)) return [group];
  const others = commandsOf(group).filter((hook) => !isOurCommand(hook));
  return others.length === 0 ? [] : [{ ...(group as object), hooks: others }];
}

/** As it was indented before, with the line break at its end that it had. */
function write(settings: object, before: string | undefined): string {
  const indent = /^([ \t]+)"/m.exec(before ?? "")?.[1] ?? "  ";
  const end = before === undefined || before.endsWith("\n") ? "\n" : "";
  return JSON.stringify(settings, undefined, indent) + end;
}

function refused(file: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError(`${file} ${why}`, {
    code: "HOOK_SETTINGS_INVALID",
    hint: "Nothing was changed. Correct the file, and run the command again.",
    ...(cause === undefined ? {} : { cause }),
  });
}
