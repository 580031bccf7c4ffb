import { createHash } from "node:crypto";
import type { Claim, EvaluateOptions } from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import type { LeafCondition } from "../rule.ts";
import { fieldReader } from "./field.ts";
import { compilePattern, PATTERN_INPUT_MAX } from "./pattern.ts";
import { formatMinutes, isWithin, minutesOfDay, parseTime } from "./time-of-day.ts";

/** What a condition is asked about. */
export interface Question extends Omit<EvaluateOptions, "explain"> {
  event: PolicyEvent;
  rule: string;
  /** Whose count a limit looks at. */
  subject: string;
  /** Where a limit that is used says so. */
  claims: Claim[];
  notes: string[];
}

/** Why a condition is neither true nor false. */
export class Fault {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export type Verdict = boolean | Fault;

export interface Leaf {
  test(question: Question): Verdict;
  /** What it looks at, for the trace; undefined when there is nothing. */
  actual(question: Question): unknown;
  /** What would make it true. */
  expected: string;
}

/** The meaning of a condition without sub-conditions, `negate` aside. */
export function compileLeaf(condition: LeafCondition, path: string): Leaf {
  switch (condition.type) {
    case "always":
    case "never":
      return constant(condition.type === "always");
    case "equals":
      return ofField(condition.field, typeof condition.value, shown(condition.value), (actual) =>
        sameType(actual, condition.value) ? actual === condition.value : undefined,
      );
    case "not_equals":
      return ofField(
        condition.field,
        typeof condition.value,
        `anything but ${shown(condition.value)}`,
        (actual) => (sameType(actual, condition.value) ? actual !== condition.value : undefined),
      );
    case "contains":
      return ofField(
        condition.field,
        "string or list",
        `${shown(condition.value)} in it`,
        (actual) => contains(actual, condition.value),
      );
    case "not_contains":
      return ofField(
        condition.field,
        "string or list",
        `no ${shown(condition.value)} in it`,
        (actual) => not(contains(actual, condition.value)),
      );
    case "greater_than":
      return ofNumber(condition.field, `more than ${condition.value}`, (n) => n > condition.value);
    case "less_than":
      return ofNumber(condition.field, `less than ${condition.value}`, (n) => n < condition.value);
    case "between": {
      const { min_value: min, max_value: max } = condition;
      return ofNumber(condition.field, `from ${min} to ${max}`, (n) => min <= n && n <= max);
    }
    case "in_list":
    case "not_in_list":
      return listed(condition.field, condition.values, condition.type === "in_list");
    case "matches_regex":
      return pattern(condition.field, condition.regex_pattern);
    case "time_range":
      return timeRange(condition.start_time, condition.end_time, condition.timezone);
    case "rate_limit":
      return rateLimit(condition.rate_limit, condition.time_window * 1_000, path);
    case "probability":
      return probability(condition.probability);
  }
  // Unreachable: the cases are exhaustive.
  return condition satisfies never;
}

function constant(value: boolean): Leaf {
  return { test: () => value, actual: () => undefined, expected: value ? "anything" : "nothing" };
}

/** `judge` answers undefined for a value of the wrong type. */
function ofField(
  field: string,
  kind: string,
  expected: string,
  judge: (actual: unknown, question: Question) => boolean | undefined,
): Leaf {
  const read = fieldReader(field);
  const missing = new Fault(`${field} is missing`);
  return {
    test(question) {
      const actual = read(question.event);
      if (actual === undefined) return missing;
      return judge(actual, question) ?? new Fault(`${field} is ${kindOf(actual)}, not ${kind}`);
    },
    actual: ({ event }) => read(event),
    expected,
  };
}

function ofNumber(field: string, expected: string, judge: (number: number) => boolean): Leaf {
  return ofField(field, "number", expected, (actual) =>
    typeof actual === "number" && !Number.isNaN(actual) ? judge(actual) : undefined,
  );
}

function contains(actual: unknown, value: unknown): boolean | undefined {
  if (Array.isArray(actual)) return actual.includes(value);
  if (typeof actual === "string" && typeof value === "string") return actual.includes(value);
  return undefined;
}

function listed(field: string, values: readonly unknown[], inside: boolean): Leaf {
  const set = new Set(values);
  const kinds = new Set(values.map((value) => typeof value));
  const names = values.slice(0, 20).map(shown).join(", ");
  const more = values.length > 20 ? " …" : "";
  return ofField(
    field,
    [...kinds].join(" or "),
    `${inside ? "one" : "none"} of ${names}${more}`,
    (actual) => (kinds.has(typeof actual) ? set.has(actual) === inside : undefined),
  );
}

function pattern(field: string, source: string): Leaf {
  const compiled = compilePattern(source);
  return ofField(field, "string", `text that matches ${source}`, (actual, { notes }) => {
    if (typeof actual !== "string") return undefined;
    if (actual.length <= PATTERN_INPUT_MAX) return compiled.test(actual);
    notes.push(`of ${field}, only the first ${PATTERN_INPUT_MAX} characters were matched`);
    return compiled.test(actual.slice(0, PATTERN_INPUT_MAX));
  });
}

function timeRange(start: string, end: string, zone: string | undefined): Leaf {
  const [from, to] = [parseTime(start), parseTime(end)];
  const minutes = ({ now, timezone }: Question): number => minutesOfDay(now, zone ?? timezone);
  return {
    test: (question) => isWithin(minutes(question), from, to),
    actual: (question) => formatMinutes(minutes(question)),
    expected: `from ${start} to ${end}${zone === undefined ? "" : ` in ${zone}`}`,
  };
}

/** True while there is room; asking takes of it, once an event. */
function rateLimit(limit: number, windowMs: number, path: string): Leaf {
  // What is further ahead than the window is long, a clock has counted that was set back since.
  const used = ({ counters, rule, subject, now }: Question): number | undefined =>
    counters?.usesBetween(rule, path, subject, now - windowMs, now + windowMs);
  return {
    test(question) {
      const { counters, rule, subject, event, now, claims, notes } = question;
      if (counters === undefined) {
        notes.push(`${path} could not be counted, so it allowed`);
        return true;
      }
      if (counters.counted(rule, path, event.id)) return true;
      if ((used(question) ?? 0) >= limit) return false;
      claims.push({ rule, slot: path, subject, event: event.id, at: now, keepMs: windowMs });
      return true;
    },
    actual: used,
    expected: `fewer than ${limit} in ${windowMs / 1_000} s`,
  };
}

function probability(chance: number): Leaf {
  const draw = ({ seed, rule, event }: Question): number =>
    createHash("sha256").update(`${seed}\0${rule}\0${event.id}`).digest().readUIntBE(0, 6) /
    2 ** 48;
  return {
    test: (question) => draw(question) < chance,
    actual: draw,
    expected: `a draw below ${chance}`,
  };
}

const sameType = (a: unknown, b: unknown): boolean => typeof a === typeof b;
const not = (value: boolean | undefined): boolean | undefined =>
  value === undefined ? undefined : !value;
const shown = (value: unknown): string => JSON.stringify(value).slice(0, 80);

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value;
}
