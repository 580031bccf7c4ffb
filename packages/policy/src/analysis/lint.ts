import type { PolicyRule } from "../rule.ts";
import { Analysis, type LintOptions } from "./analysis.ts";
import { findContradictions } from "./contradictions.ts";
import type { LintReport } from "./lint-report.ts";
import { findDuplicates, findShadowed } from "./overlap.ts";
import { findAlwaysTrue, findUnsatisfiable } from "./satisfiability.ts";

/**
 * Looks for rules that cannot mean what they say. Each finding was either shown to the evaluator, by
 * an event, or follows from there being no event at all; what could be shown neither way is
 * `unknown`. Rules that are not enabled are left out. The same rules, the same report.
 * @throws PolicyError `POLICY_INVALID` for rules that cannot be in force.
 */
export function lintRules(rules: readonly PolicyRule[], options: LintOptions = {}): LintReport {
  const analysis = new Analysis(rules, options);
  for (const find of [
    findUnsatisfiable,
    findAlwaysTrue,
    findDuplicates,
    findShadowed,
    findContradictions,
  ])
    find(analysis);
  return analysis.report;
}
