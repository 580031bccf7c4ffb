import type { PolicyRule } from "../rule.ts";
import type { Analysis } from "./analysis.ts";
import { all } from "./formula.ts";
import { inScopeNotMatching, matching } from "./rule-formula.ts";
import type { Witness } from "./witness.ts";

/** Beyond this many conditions, it is not searched which of them exclude each other. */
const CONDITIONS_MAX = 40;

/** Finds rules that no event matches. */
export function findUnsatisfiable(analysis: Analysis): void {
  for (const rule of analysis.rules) {
    const example = analysis.example(rule);
    if (example.answer === "unknown") analysis.undecided("unsatisfiable", rule.name, example.why);
    if (example.answer !== "impossible") continue;
    const core = conflictIn(rule, analysis);
    const witness = nearMiss(rule, core, analysis);
    const paths = core.map((at) => `conditions[${at}]`);
    analysis.found({
      kind: "unsatisfiable",
      rule: rule.name,
      message: `no event can match it: ${why(paths, rule)}`,
      paths,
      ...(witness === undefined ? {} : { witness }),
    });
  }
}

/** Finds rules that every event of their scope matches, unless they say so by `always`. */
export function findAlwaysTrue(analysis: Analysis): void {
  for (const rule of analysis.rules) {
    const saysSo = rule.conditions.every(({ type, negate }) => type === "always" && !negate);
    const example = analysis.example(rule);
    if (saysSo || example.answer !== "possible") continue;
    const counter = analysis.solve(
      inScopeNotMatching(rule),
      (witness) => !analysis.matches(rule, witness),
    );
    if (counter.answer === "unknown") analysis.undecided("always-true", rule.name, counter.why);
    if (counter.answer !== "impossible") continue;
    analysis.found({
      kind: "always-true",
      rule: rule.name,
      message: "every event of its scope matches it; say so with one condition of type always",
      paths: rule.conditions.map((_, at) => `conditions[${at}]`),
      witness: example.witness,
    });
  }
}

/** The places of the fewest conditions that already exclude each other, of at most two. */
function conflictIn(rule: PolicyRule, analysis: Analysis): number[] {
  const places = [...rule.conditions.keys()];
  if (rule.condition_operator === "OR" || places.length > CONDITIONS_MAX) return places;
  const excludes = (chosen: readonly number[]): boolean => {
    const part = { ...rule, conditions: chosen.flatMap((at) => rule.conditions[at] ?? []) };
    return analysis.solve(matching(part), () => true).answer === "impossible";
  };
  for (const one of places) if (excludes([one])) return [one];
  for (const one of places)
    for (const other of places.slice(0, one)) if (excludes([other, one])) return [other, one];
  return places;
}

/** An event that would match but for one of the conditions that exclude each other. */
function nearMiss(
  rule: PolicyRule,
  core: readonly number[],
  analysis: Analysis,
): Witness | undefined {
  for (const left of [...core].toReversed()) {
    const part = { ...rule, conditions: rule.conditions.filter((_, at) => at !== left) };
    const formula = rule.condition_operator === "OR" ? all([]) : matching(part);
    const near = analysis.solve(formula, (witness) => !analysis.matches(rule, witness));
    if (near.answer === "possible") return near.witness;
  }
  return undefined;
}

function why(paths: readonly string[], rule: PolicyRule): string {
  if (paths.length === 1) return `${paths[0]} is never true`;
  if (rule.condition_operator === "OR") return "none of its conditions is ever true";
  if (paths.length === 2) return `${paths.join(" and ")} exclude each other`;
  return "its conditions exclude each other";
}
