import { outcomeOf } from "../evaluate/condition.ts";
import { EVENT_FIELDS } from "../evaluate/field.ts";
import { compileLeaf } from "../evaluate/leaf-condition.ts";
import type { Outcome } from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { MISSING } from "./field-candidates.ts";
import type { Literal } from "./formula.ts";

/** An event, and when and how it is decided: `evaluate` is given just this. */
export interface Witness {
  event: PolicyEvent;
  /** Wall-clock milliseconds. */
  now: number;
  timezone: string;
  seed: string;
}

/** What one condition of an event comes to, when nothing has been counted yet. */
export function outcomeIn(
  { event, now, timezone, seed }: Witness,
  { rule, condition }: Literal,
): Outcome {
  if (condition.type === "scope_named") {
    const scope: Readonly<Record<string, unknown>> = { ...event.scope };
    return scope[condition.field.slice("scope.".length)] === undefined ? "false" : "true";
  }
  const question = {
    event,
    now,
    timezone,
    seed,
    rule,
    subject: "",
    counters: undefined,
    claims: [],
    notes: [],
  };
  return outcomeOf(compileLeaf(condition, "").test(question));
}

/** The parts of an event that have parts of their own. */
const HOLDERS: ReadonlySet<string> = new Set(["scope", "metadata", "context"]);

/** The event with a field set as the evaluator reads it; undefined where none can be set. */
export function withField(
  event: PolicyEvent,
  field: string,
  value: unknown,
): PolicyEvent | undefined {
  if (value === MISSING) return event;
  const segments = field.split(".");
  const [root = ""] = segments;
  const isPart = EVENT_FIELDS.includes(root);
  if (isPart && segments.length > 1 && !HOLDERS.has(root)) return undefined;
  return withPath(event, isPart ? segments : ["context", ...segments], value) as
    | PolicyEvent
    | undefined;
}

function withPath(holder: unknown, [key = "", ...rest]: string[], value: unknown): unknown {
  if (typeof holder !== "object" || holder === null || Array.isArray(holder)) return undefined;
  const own: unknown = Object.hasOwn(holder, key) ? Reflect.get(holder, key) : undefined;
  const inner = rest.length === 0 ? value : withPath(own ?? {}, rest, value);
  // A computed key is an own property, whatever its name.
  return inner === undefined ? undefined : { ...holder, [key]: inner };
}
