import type { LeafCondition } from "../rule.ts";
import { candidatesOf } from "./field-candidates.ts";
import { type Allowed, type Conjunction, type Formula, type Literal, waysOf } from "./formula.ts";
import { instantsOf } from "./time-candidates.ts";
import { outcomeIn, type Witness, withField } from "./witness.ts";

/**
 * - `possible`: there is an event, and the evaluator agrees
 * - `impossible`: there is none
 * - `unknown`: neither could be shown
 */
export type Solution =
  | { answer: "possible"; witness: Witness }
  | { answer: "impossible" }
  | { answer: "unknown"; why: string };

export interface SolveOptions {
  /** IANA name, for conditions that name none. */
  timezone: string;
  seed: string;
  /** Wall-clock milliseconds; the witness is of this time where no condition asks for another. */
  now: number;
  /** Whether a witness shows what it should, asked of the evaluator. */
  verify: (witness: Witness) => boolean;
}

/** A formula that holds in more ways than this is not decided. */
const WAYS_MAX = 400;
/** Event ids tried until the draws of `probability` come out as wanted. */
const DRAWS_MAX = 5_000;

const IMPOSSIBLE: Solution = { answer: "impossible" };
const unknown = (why: string): Solution => ({ answer: "unknown", why });

/** Whether a formula can hold, with an event for which it does. */
export function solve(formula: Formula, options: SolveOptions): Solution {
  const ways = waysOf(formula, WAYS_MAX);
  if (ways === undefined) return unknown(`it can hold in more than ${WAYS_MAX} ways`);
  let answer: Solution = IMPOSSIBLE;
  for (const way of ways) {
    const solution = solveWay(way, options);
    if (solution.answer === "possible") return solution;
    if (solution.answer === "unknown") answer = solution;
  }
  return answer;
}

function solveWay(way: Conjunction, options: SolveOptions): Solution {
  const merged = merge(way);
  if (merged === undefined) return IMPOSSIBLE;
  const { now, timezone, seed } = options;
  const start: Witness = {
    event: { id: "witness-0", type: "memory.add", at: now, scope: {} },
    now,
    timezone,
    seed,
  };
  let open: Solution | undefined;
  let witness = start;
  for (const step of [constants, limits, times, fields, draws]) {
    const next = step(merged, witness);
    if ("event" in next) witness = next;
    else if (next.answer === "impossible") return IMPOSSIBLE;
    else open ??= next;
  }
  if (open !== undefined) return open;
  return options.verify(witness)
    ? { answer: "possible", witness }
    : unknown("its conditions depend on each other in a way that is not followed");
}

/** One literal for each condition, with what all demand of it; undefined when that is nothing. */
function merge(way: Conjunction): Literal[] | undefined {
  const merged = new Map<string, Literal>();
  for (const [at, literal] of way.entries()) {
    const key = `${ownerOf(literal, at)}\0${JSON.stringify(literal.condition)}`;
    const known = merged.get(key)?.allowed ?? literal.allowed;
    const allowed: Allowed = new Set([...literal.allowed].filter((each) => known.has(each)));
    if (allowed.size === 0) return undefined;
    merged.set(key, { ...literal, allowed });
  }
  return [...merged.values()];
}

/** A draw is its rule's own, a limit its condition's; all else is the event's or the clock's. */
function ownerOf({ rule, condition: { type } }: Literal, at: number): string {
  if (type === "rate_limit") return `limit ${at}`;
  return type === "probability" ? `draw of ${rule}` : "";
}

const holds = (witness: Witness, literals: readonly Literal[]): boolean =>
  literals.every((literal) => literal.allowed.has(outcomeIn(witness, literal)));

function constants(literals: readonly Literal[], witness: Witness): Witness | Solution {
  const own = literals.filter(({ condition: { type } }) => type === "always" || type === "never");
  return holds(witness, own) ? witness : IMPOSSIBLE;
}

/** A limit has room as long as nothing was counted, and is never an error. */
function limits(literals: readonly Literal[], witness: Witness): Witness | Solution {
  const own = literals.filter(({ condition }) => condition.type === "rate_limit");
  if (own.every(({ allowed }) => allowed.has("true"))) return witness;
  if (own.some(({ allowed }) => !allowed.has("true") && !allowed.has("false"))) return IMPOSSIBLE;
  return unknown("it depends on a limit that earlier events have used up");
}

function times(literals: readonly Literal[], witness: Witness): Witness | Solution {
  const own = literals.filter(({ condition }) => condition.type === "time_range");
  const ranges = own.flatMap(({ condition }) => (condition.type === "time_range" ? condition : []));
  const zones = new Set(ranges.map(({ timezone }) => timezone ?? witness.timezone));
  for (const now of instantsOf(ranges, witness)) {
    const then = { ...witness, now, event: { ...witness.event, at: now } };
    if (holds(then, own)) return then;
  }
  return zones.size <= 1 ? IMPOSSIBLE : unknown("it depends on the clocks of several timezones");
}

/** Each field by itself: no condition looks at two. */
function fields(literals: readonly Literal[], start: Witness): Witness | Solution {
  const byField = Map.groupBy(literals, ({ condition }) =>
    "field" in condition ? condition.field : "",
  );
  byField.delete("");
  let witness = start;
  let open: Solution | undefined;
  for (const [field, own] of byField) {
    const next = oneField(field, own, start);
    if ("answer" in next) {
      if (next.answer === "impossible") return IMPOSSIBLE;
      open ??= next;
      continue;
    }
    const event = withField(witness.event, field, next.value);
    if (event === undefined) open ??= unknown(`${field} is part of another field`);
    else witness = { ...witness, event };
  }
  return open ?? witness;
}

function oneField(
  field: string,
  literals: readonly Literal[],
  start: Witness,
): { value: unknown } | Solution {
  const conditions = literals.flatMap(({ condition }) => (isOfField(condition) ? condition : []));
  const wanted = literals
    .filter(({ condition, allowed }) => isWanted(condition, allowed))
    .flatMap(({ condition }) => (isOfField(condition) ? condition : []));
  const { values, complete } = candidatesOf(field, conditions, wanted.map(positive));
  for (const value of values) {
    const event = withField(start.event, field, value);
    if (event === undefined) return unknown(`${field} is part of another field`);
    if (holds({ ...start, event }, literals)) return { value };
  }
  return complete ? IMPOSSIBLE : unknown(`no text was found for the patterns on ${field}`);
}

type FieldCondition = Extract<LeafCondition, { field: string }>;

const isOfField = (condition: Literal["condition"]): condition is FieldCondition =>
  "field" in condition && condition.type !== "scope_named";

/** What must be there: `contains` that is to be true, and `not_contains` that is to be false. */
const isWanted = ({ type }: Literal["condition"], allowed: Allowed): boolean =>
  type === "not_contains" ? !allowed.has("true") : !allowed.has("false");

const positive = (condition: FieldCondition): FieldCondition =>
  condition.type === "not_contains" ? { ...condition, type: "contains" } : condition;

/** One draw a rule and event: it is below some chances and not below others. */
function draws(literals: readonly Literal[], start: Witness): Witness | Solution {
  const own = literals.filter(({ condition }) => condition.type === "probability");
  for (const drawn of Map.groupBy(own, ({ rule }) => rule).values()) {
    let [from, below] = [0, 1];
    for (const { condition, allowed } of drawn) {
      if (condition.type !== "probability") continue;
      if (!allowed.has("false"))
        below = Math.min(below, allowed.has("true") ? condition.probability : 0);
      else if (!allowed.has("true")) from = Math.max(from, condition.probability);
    }
    if (from >= below) return IMPOSSIBLE;
  }
  if (holds(start, own)) return start;
  const isFixed = literals.some(
    ({ condition }) => "field" in condition && condition.field === "id",
  );
  const drawsMax = isFixed ? 0 : DRAWS_MAX;
  for (let number = 1; number < drawsMax; number += 1) {
    const witness = { ...start, event: { ...start.event, id: `witness-${number}` } };
    if (holds(witness, own)) return witness;
  }
  return unknown("no event was drawn that suits its probabilities");
}
