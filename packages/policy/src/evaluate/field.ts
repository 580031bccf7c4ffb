import type { PolicyEvent } from "../policy-event.ts";

/** The parts of an event; any other name is looked up in its context. */
export const EVENT_FIELDS: readonly string[] = [
  "id",
  "type",
  "at",
  "scope",
  "text",
  "tags",
  "metadata",
  "source",
  "priority",
  "context",
] satisfies (keyof PolicyEvent)[];

/** Reads one field; undefined when it is not there. */
export type FieldReader = (event: PolicyEvent) => unknown;

/**
 * A reader of a path in dot notation. A key that holds dots itself is found by the rest of the path
 * as a whole; `length` is that of a text or a list. Only own properties are seen.
 */
export function fieldReader(path: string): FieldReader {
  const [root = "", ...rest] = path.split(".");
  if (!EVENT_FIELDS.includes(root)) return (event) => follow(event.context, [root, ...rest]);
  const key = root as keyof PolicyEvent;
  if (rest.length === 0) return (event) => event[key];
  return (event) => follow(event[key], rest);
}

function follow(start: unknown, segments: readonly string[]): unknown {
  let value = start;
  for (const [index, segment] of segments.entries()) {
    if (typeof value === "string")
      return index === segments.length - 1 && segment === "length" ? value.length : undefined;
    if (typeof value !== "object" || value === null) return undefined;
    const rest = segments.slice(index).join(".");
    if (Object.hasOwn(value, rest)) return (value as Record<string, unknown>)[rest];
    if (!Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}
