import type { Command } from "commander";
import { durationMs, HoldfastError } from "@holdfast/core";
import type { Filter, Scope } from "@holdfast/memory";
import type { Where } from "@holdfast/store";
import { OWN_TAG } from "./triggers/command-trigger.ts";

/** What the options of `scopeOptions` and `filterOptions` parse to. */
export interface SelectionOptions extends Scope {
  tag?: string[];
  where?: Where;
}

/** `--user`, `--agent`, `--session`, `--project`, `--tag`: whose memory it is. */
export function scopeOptions(command: Command): Command {
  return command
    .option("--user <name>", "whose memory it is")
    .option("--agent <name>", "the agent it belongs to")
    .option("--session <name>", "the session it belongs to")
    .option("--project <name>", "the project it belongs to")
    .option("--tag <tag>", "a tag; may be given several times", collect);
}

/** As `scopeOptions`, and `--where`: every given part must match. */
export function filterOptions(command: Command): Command {
  return scopeOptions(command).option(
    "--where <key=value>",
    "metadata that must match; may be given several times",
    collectPair,
  );
}

export function scopeOf(options: SelectionOptions): Scope {
  const { user, agent, session, project } = options;
  return {
    ...(user === undefined ? {} : { user }),
    ...(agent === undefined ? {} : { agent }),
    ...(session === undefined ? {} : { session }),
    ...(project === undefined ? {} : { project }),
  };
}

export function filterOf(options: SelectionOptions): Filter {
  const scope = scopeOf(options);
  return {
    ...(Object.keys(scope).length === 0 ? {} : { scope }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
    ...(options.where === undefined ? {} : { where: options.where }),
  };
}

/** As `filterOf`, for showing: Holdfast's own commands are left out unless they are asked for. */
export function shownFilterOf(options: SelectionOptions & { all?: true }): Filter {
  const filter = filterOf(options);
  const asked =
    options.all === true ||
    options.where?.["category"] !== undefined ||
    ["command", OWN_TAG].some((tag) => options.tag?.includes(tag) === true);
  return asked ? filter : { ...filter, exceptTags: [OWN_TAG] };
}

/** What the policies' archive_memory tags: it is kept and listed, and not recalled. */
export const ARCHIVED_TAG = "archived";

/** As `shownFilterOf`, for recalling: what is archived is left out unless it is asked for. */
export function recallFilterOf(options: SelectionOptions & { all?: true }): Filter {
  const filter = shownFilterOf(options);
  if (options.tag?.includes(ARCHIVED_TAG) === true) return filter;
  return { ...filter, exceptTags: [...(filter.exceptTags ?? []), ARCHIVED_TAG] };
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

/**
 * `key=value`; a value that reads as a number, `true` or `false` is one, and `key="3"` is the
 * text 3.
 */
export function collectPair(pair: string, earlier: Where = {}): Where {
  const at = pair.indexOf("=");
  if (at < 1)
    throw usage(`${JSON.stringify(pair)} is not key=value`, "Write it as in: colour=blue");
  return { ...earlier, [pair.slice(0, at)]: valueOf(pair.slice(at + 1)) };
}

function valueOf(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  if (Number.isFinite(number) && String(number) === text) return number;
  if (!/^".*"$/s.test(text)) return text;
  try {
    return JSON.parse(text) as string;
  } catch (error) {
    throw usage(`${text} is not quoted text`, "Write it as in: 'colour=\"light blue\"'", error);
  }
}

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw usage(`${JSON.stringify(text)} is not a whole number from ${min} to ${max}`);
  };
}

/** Milliseconds of a duration such as 30, "30s" or "5m". */
export function duration(text: string): number {
  return durationMs(text);
}

export function usage(message: string, hint?: string, cause?: unknown): HoldfastError {
  return new HoldfastError(message, {
    code: "USAGE",
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
