import type { Schema } from "./schema.ts";

/** The types that a schema allows; none stands for all. */
export function typeNames(schema: Schema): readonly string[] {
  if (schema.type === undefined) return [];
  return typeof schema.type === "string" ? [schema.type] : schema.type;
}

export function expectedType(schema: Schema): string {
  if (schema.enum !== undefined) return oneOf(schema.enum.map(String));
  if (isDuration(schema)) return DURATION;
  const words: Record<string, string> = {
    object: "a mapping",
    array: "a list",
    string: "text",
    boolean: "true or false",
  };
  return typeNames(schema)
    .map((name) => words[name] ?? expectedNumber(schema))
    .join(" or ");
}

const DURATION = 'seconds, or a number with a unit such as "30s" or "5m"';
const isDuration = (schema: Schema): boolean =>
  typeNames(schema).includes("number") && schema.pattern !== undefined;

export function expectedText(schema: Schema): string {
  return isDuration(schema) ? DURATION : (schema.description ?? `text like ${schema.pattern}`);
}

export function expectedNumber(schema: Schema): string {
  const kind = typeNames(schema).includes("integer") ? "a whole number" : "a number";
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined)
    return `${kind} from ${minimum} to ${maximum}`;
  const bounds = [
    ...(minimum === undefined ? [] : [`of at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return [kind, bounds.join(" and ")].join(" ").trimEnd();
}

export function expectedLength({ minLength = 1 }: Schema): string {
  return minLength === 1 ? "some text" : `at least ${minLength} characters`;
}

export const counted = (count: number, name: string): string =>
  `${count} ${name}${count === 1 ? "" : "s"}`;

export const oneOf = (names: readonly string[]): string =>
  names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;

export const shown = (value: unknown): string =>
  value === null ? "empty" : JSON.stringify(value).slice(0, 80);
