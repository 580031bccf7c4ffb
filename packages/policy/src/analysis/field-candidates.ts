import type { LeafCondition } from "../rule.ts";
import { regexSamples } from "./regex-sample.ts";

/** A value that a field might have; `MISSING` is none. */
export const MISSING: unique symbol = Symbol("missing");

export interface Candidates {
  values: readonly unknown[];
  /** Whether a field with none of these values could do no better: nothing else need be tried. */
  complete: boolean;
}

type FieldCondition = Extract<LeafCondition, { field: string }>;

/**
 * Values that tell conditions on one field apart: if any value of the field satisfies some of them
 * and fails the others in a given way, one of these does, unless a regular expression takes part.
 *
 * - numbers: every one named, one between each two neighbours, one beyond either end
 * - texts: every one named; and joined by a character that none of them has, those to be contained,
 *   which therefore contain nothing else that is named
 * - lists: of those to be contained, and nothing else
 */
export function candidatesOf(
  field: string,
  conditions: readonly FieldCondition[],
  wanted: readonly FieldCondition[],
): Candidates {
  const constants = conditions.flatMap(constantsOf);
  const contained = wanted.filter(({ type }) => type === "contains").flatMap(constantsOf);
  const complete = !conditions.some(({ type }) => type === "matches_regex");
  const all = [
    MISSING,
    ...texts(conditions, wanted),
    ...numbers(constants.filter((each) => typeof each === "number")),
    true,
    false,
    ...lists(contained, constants),
    null,
    {},
  ];
  const values = all.filter((value) => isPossible(field, value));
  return { values, complete };
}

const SCOPES: ReadonlySet<string> = new Set(
  ["user", "agent", "session", "task", "workflow", "project"].map((name) => `scope.${name}`),
);

/** Whether an event's field can have a value at all. */
function isPossible(field: string, value: unknown): boolean {
  if (field === "id" || field === "type") return typeof value === "string" && value !== "";
  if (field === "at") return typeof value === "number";
  if (field === "scope") return isPlain(value);
  if (value === MISSING) return true;
  if (field === "metadata" || field === "context") return isPlain(value);
  if (field === "text" || field === "source") return typeof value === "string";
  if (field.startsWith("scope.")) return SCOPES.has(field) && typeof value === "string";
  if (field === "priority") return typeof value === "string" || typeof value === "number";
  if (field === "tags")
    return Array.isArray(value) && value.every((each) => typeof each === "string");
  return true;
}

const isPlain = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function constantsOf(condition: FieldCondition): unknown[] {
  if ("value" in condition) return [condition.value];
  if ("values" in condition) return condition.values;
  if ("min_value" in condition) return [condition.min_value, condition.max_value];
  return [];
}

function numbers(named: readonly number[]): number[] {
  const sorted = [...new Set(named)].toSorted((first, second) => first - second);
  const first = sorted[0] ?? 0;
  const between = sorted.slice(1).map((each, at) => (sorted[at] ?? each) / 2 + each / 2);
  const last = sorted.at(-1) ?? 0;
  // Of large numbers, the next one is more than 1 away.
  return [...sorted, ...between, first - 1 - Math.abs(first), last + 1 + Math.abs(last)].filter(
    (each) => Number.isFinite(each),
  );
}

function texts(conditions: readonly FieldCondition[], wanted: readonly FieldCondition[]): string[] {
  const named = conditions.flatMap(constantsOf).filter((each) => typeof each === "string");
  const gap = absentCharacter(named.join(""));
  const contained = wanted
    .filter(({ type }) => type === "contains")
    .flatMap(constantsOf)
    .filter((each) => typeof each === "string");
  const joined = contained.join(gap);
  const samples = wanted.flatMap((each) =>
    "regex_pattern" in each ? regexSamples(each.regex_pattern) : [],
  );
  // Several patterns: texts that one after the other may satisfy together.
  const together = samples.length > 1 ? [samples.join(gap), samples.join(" ")] : [];
  return [
    ...named,
    gap,
    `${gap}${joined}${gap}`,
    ...[...samples, ...together].flatMap((sample) => [
      sample,
      `${sample}${gap}${joined}`,
      `${joined} ${sample}`,
    ]),
    "",
  ];
}

function lists(contained: readonly unknown[], constants: readonly unknown[]): unknown[][] {
  const named = constants.filter((each) => typeof each === "string").join("");
  return [[], [...new Set(contained)], [...new Set(contained), absentCharacter(named)]];
}

/** Readable where it can be: a letter, then whatever no text has. */
function absentCharacter(text: string): string {
  const lower = text.toLowerCase();
  for (const character of "xqzjkvw") if (!lower.includes(character)) return character;
  let code = 0x4e00;
  while (text.includes(String.fromCharCode(code))) code += 1;
  return String.fromCharCode(code);
}
