import { suggest } from "@holdfast/document";
import type { Condition, PolicyRule } from "../rule.ts";
import { EVENT_FIELDS } from "../evaluate/field.ts";
import { compilePattern, PatternFault } from "../evaluate/pattern.ts";
import { isTimezone } from "../evaluate/time-of-day.ts";

/** What is wrong with a rule beyond its shape, and where in it. */
export interface RuleFault {
  severity: "error" | "warning" | "note";
  /** In the rule: `conditions[0].regex_pattern`. */
  path: string;
  message: string;
  expected?: string;
  suggestion?: string;
}

const CONDITION_DEPTH_MAX = 20;

/** What the schema cannot say of one rule. */
export function ruleFaults(rule: PolicyRule): RuleFault[] {
  return [
    ...rule.conditions.flatMap((each, index) => conditionFaults(each, `conditions[${index}]`, 1)),
    ...rule.actions.flatMap(({ condition }, index) =>
      condition === undefined ? [] : conditionFaults(condition, `actions[${index}].condition`, 1),
    ),
  ];
}

function conditionFaults(condition: Condition, path: string, depth: number): RuleFault[] {
  if ("sub_conditions" in condition) {
    if (depth >= CONDITION_DEPTH_MAX)
      return [error(path, "is nested too deeply", `at most ${CONDITION_DEPTH_MAX} levels`)];
    return condition.sub_conditions.flatMap((each, index) =>
      conditionFaults(each, `${path}.sub_conditions[${index}]`, depth + 1),
    );
  }
  return [...leafFaults(condition, path), ...fieldFaults(condition, path)];
}

function leafFaults(
  condition: Exclude<Condition, { sub_conditions: unknown }>,
  path: string,
): RuleFault[] {
  if (condition.type === "matches_regex")
    return patternFaults(condition.regex_pattern, `${path}.regex_pattern`);
  if (condition.type === "between" && condition.min_value > condition.max_value)
    return [
      error(
        `${path}.min_value`,
        `${condition.min_value} is more than max_value`,
        `at most ${condition.max_value}`,
      ),
    ];
  if (condition.type !== "time_range") return [];
  const { start_time: start, end_time: end, timezone } = condition;
  return [
    ...(start === end
      ? [error(`${path}.end_time`, "is the start_time too, so it is never", "another time")]
      : []),
    ...(start === "24:00" ? [error(`${path}.start_time`, "24:00 is only an end", "'00:00'")] : []),
    ...(timezone === undefined || isTimezone(timezone)
      ? []
      : [error(`${path}.timezone`, `${timezone} is not known`, "an IANA name, as Europe/Berlin")]),
  ];
}

function patternFaults(pattern: string, path: string): RuleFault[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (fault) {
    if (!(fault instanceof PatternFault)) throw fault;
    return [error(path, fault.message, fault.expected)];
  }
}

/** A slip in a field's first word would look for it in the context, and never find it. */
function fieldFaults(condition: Condition, path: string): RuleFault[] {
  if (!("field" in condition)) return [];
  const [root = "", ...rest] = condition.field.split(".");
  if (EVENT_FIELDS.includes(root)) return [];
  const meant = suggest(root, EVENT_FIELDS);
  if (meant === undefined) return [];
  return [
    {
      severity: "warning",
      path: `${path}.field`,
      message: `${root} is no part of an event, so it is looked up in the event's context`,
      suggestion: [meant, ...rest].join("."),
    },
  ];
}

export function error(path: string, message: string, expected: string): RuleFault {
  return { severity: "error", path, message, expected };
}
