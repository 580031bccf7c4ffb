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
  if (!EVENT_FIELDS.includes(root)) {
    const steps = stepsOf([root, ...rest]);
    return (event) => follow(event.context, steps);
  }
  const key = root as keyof PolicyEvent;
  if (rest.length === 0) return (event) => event[key];
  const steps = stepsOf(rest);
  return (event) => follow(event[key], steps);
}

interface Step {
  key: string;
  /** This key and all after it. */
  rest: string;
}

function stepsOf(keys: readonly string[]): Step[] {
  return keys.map((key, index) => ({ key, rest: keys.slice(index).join(".") }));
}

function follow(start: unknown, steps: readonly Step[]): unknown {
  let value = start;
  for (const { key, rest } of steps) {
    if (typeof value === "string") return rest === "length" ? value.length : undefined;
    if (typeof value !== "object" || value === null) return undefined;
    const holder = value as Record<string, unknown>;
    if (!Object.hasOwn(holder, key)) return Object.hasOwn(holder, rest) ? holder[rest] : undefined;
    value = holder[key];
  }
  return value;
}
