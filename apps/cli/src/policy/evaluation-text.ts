import type {
  ConditionTrace,
  Decision,
  Effect,
  Evaluation,
  PolicyEvent,
  RuleTrace,
} from "@holdfast/policy";
import { type Output, printable } from "../output.ts";

/** What became of an event, and why, for people: the decision first, then each rule. */
export function evaluationText(
  event: PolicyEvent,
  { decision, effects, trace }: Evaluation,
  output: Output,
): string {
  return [
    `${printable(event.type)}${event.text === undefined ? "" : ` ${shown(event.text)}`}`,
    decisionLine(decision, output),
    ...effects.map((effect) => `  ${effectLine(effect)}`),
    "",
    ...trace.flatMap((line) => ruleLines(line, output)),
  ].join("\n");
}

function decisionLine(decision: Decision, output: Output): string {
  if (decision.kind === "allow") return `Decision: ${output.paint("green", "allow")}`;
  const why = decision.reason === undefined ? "" : `: ${printable(decision.reason)}`;
  return `Decision: ${output.paint("red", "abort")}, by ${printable(decision.rule)}${why}`;
}

function effectLine({ rule, action }: Effect): string {
  const parameters = action.parameters === undefined ? "" : ` ${shown(action.parameters)}`;
  return `would do: ${action.type}${parameters}, by ${printable(rule)}`;
}

const MARKS: Readonly<Record<RuleTrace["outcome"], [mark: string, word: string]>> = {
  matched: ["✓", "matched"],
  "not-matched": ["·", "not matched"],
  error: ["!", "error"],
  blocked: ["-", "blocked"],
};

function ruleLines(line: RuleTrace, output: Output): string[] {
  const [mark, word] = MARKS[line.outcome];
  const by = line.blockedBy === undefined ? "" : ` (${line.blockedBy})`;
  const from = line.chainedFrom === undefined ? "" : `, led to by ${printable(line.chainedFrom)}`;
  const head = `${mark} ${printable(line.rule)}: ${word}${by}${from}: ${printable(line.why)}`;
  return [
    line.outcome === "matched" ? output.paint("bold", head) : head,
    ...line.conditions.flatMap((condition) => conditionLines(condition, "    ")),
    ...line.actions.flatMap(({ type, index, selected, why, condition }) => [
      `    actions[${index}] ${type}: ${selected ? "selected" : "left out"}, since ${printable(why)}`,
      ...(condition === undefined ? [] : conditionLines(condition, "      ")),
    ]),
    ...line.notes.map((note) => `    note: ${printable(note)}`),
  ];
}

function conditionLines(condition: ConditionTrace, indent: string): string[] {
  const { path, type, field, negate, outcome, actual, expected, why } = condition;
  const subject = field === undefined ? type : `${printable(field)} ${type}`;
  const found = actual === undefined ? "" : `, was ${shown(actual)}`;
  const wanted = `${negate ? "not " : ""}${printable(expected)}`;
  const reason = outcome === "error" ? ` (${printable(why)})` : "";
  return [
    `${indent}${path} ${subject}: ${outcome}${reason}; expected ${wanted}${found}`,
    ...(condition.sub_conditions ?? []).flatMap((each) => conditionLines(each, `${indent}  `)),
  ];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return printable(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
