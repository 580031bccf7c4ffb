import type { ConditionTrace, Outcome } from "../evaluation.ts";
import type { Condition } from "../rule.ts";
import { compileLeaf, Fault, type Leaf, type Question, type Verdict } from "./leaf-condition.ts";

/** A condition that is ready to be asked. */
export interface CompiledCondition {
  readonly source: Condition;
  /** As in the document: `conditions[0].sub_conditions[1]`. */
  readonly path: string;
  /** Whether asking it may use up a limit. */
  readonly counted: boolean;
  readonly meaning: Leaf | Junction;
}

/** Sub-conditions and how they are joined. */
export interface Junction {
  readonly operator: "AND" | "OR";
  /** Those that use up limits come last, so that they are asked only when it depends on them. */
  readonly parts: readonly { readonly place: number; readonly condition: CompiledCondition }[];
}

/** @throws PatternFault for a pattern that does not compile. */
export function compileCondition(source: Condition, path: string): CompiledCondition {
  if (!("sub_conditions" in source))
    return {
      source,
      path,
      counted: source.type === "rate_limit",
      meaning: compileLeaf(source, path),
    };
  const operator = source.type === "composite_and" ? "AND" : "OR";
  const junction = compileJunction(source.sub_conditions, operator, `${path}.sub_conditions`);
  return { source, path, counted: isCounted(junction), meaning: junction };
}

export function compileJunction(
  conditions: readonly Condition[],
  operator: "AND" | "OR",
  path: string,
): Junction {
  const parts = conditions
    .map((each, place) => ({ place, condition: compileCondition(each, `${path}[${place}]`) }))
    .toSorted((a, b) => Number(a.condition.counted) - Number(b.condition.counted));
  return { operator, parts };
}

export const isCounted = (junction: Junction): boolean =>
  junction.parts.some(({ condition }) => condition.counted);

/** Asks a condition; with `trace`, also says there what each part answered. */
export function ask(
  condition: CompiledCondition,
  question: Question,
  trace?: (line: ConditionTrace) => void,
): Verdict {
  const { meaning, source } = condition;
  const subs: ConditionTrace[] = [];
  const plain =
    "parts" in meaning
      ? askAll(meaning, question, trace && ((lines) => subs.push(...lines)))
      : meaning.test(question);
  const negate = source.negate === true;
  // An error says that nothing is known, and the opposite of that is not true either.
  const verdict = negate && !(plain instanceof Fault) ? !plain : plain;
  trace?.({
    ...described(condition, question),
    ...toldOf(verdict, condition),
    ...(subs.length > 0 && { sub_conditions: subs }),
  });
  return verdict;
}

/** Kleene's logic: false decides an AND and true an OR, whatever the rest; else an error stays. */
export function askAll(
  { operator, parts }: Junction,
  question: Question,
  trace?: (lines: ConditionTrace[]) => void,
): Verdict {
  const deciding = operator === "OR";
  const lines: { place: number; line: ConditionTrace }[] = [];
  let result: Verdict = !deciding;
  for (const { place, condition } of parts) {
    if (result === deciding) {
      if (trace === undefined) break;
      if (condition.counted) {
        lines.push({ place, line: notAsked(condition, question) });
        continue;
      }
    }
    const verdict = ask(condition, question, trace && ((line) => lines.push({ place, line })));
    if (verdict === deciding) result = verdict;
    else if (verdict instanceof Fault && result !== deciding && !(result instanceof Fault))
      result = verdict;
  }
  trace?.(lines.toSorted((a, b) => a.place - b.place).map(({ line }) => line));
  return result;
}

export const outcomeOf = (verdict: Verdict): Outcome =>
  verdict instanceof Fault ? "error" : verdict ? "true" : "false";

type Described = Pick<ConditionTrace, "path" | "type" | "field" | "negate" | "actual" | "expected">;

function described({ source, path, meaning }: CompiledCondition, question: Question): Described {
  const actual = "parts" in meaning ? undefined : meaning.actual(question);
  return {
    path,
    type: source.type,
    ...("field" in source && { field: source.field }),
    negate: source.negate === true,
    ...(actual !== undefined && { actual }),
    expected:
      "parts" in meaning
        ? `${meaning.operator === "AND" ? "all" : "one"} of its sub-conditions`
        : meaning.expected,
  };
}

function toldOf(
  verdict: Verdict,
  { meaning, source }: CompiledCondition,
): Pick<ConditionTrace, "outcome" | "why"> {
  if (verdict instanceof Fault) return { outcome: "error", why: verdict.why };
  const negate = source.negate === true;
  const holds = verdict === negate ? "does not hold" : "holds";
  const subject =
    "parts" in meaning ? "what is expected of its sub-conditions" : "what is expected";
  return {
    outcome: outcomeOf(verdict),
    why: `${subject} ${holds}${negate ? ", which negate turns round" : ""}`,
  };
}

function notAsked(condition: CompiledCondition, question: Question): ConditionTrace {
  return {
    ...described(condition, question),
    outcome: "not-asked",
    why: "nothing depended on it, so its limit was left alone",
  };
}
