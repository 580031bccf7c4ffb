import type { Witness } from "./witness.ts";

/**
 * - `unsatisfiable`: no event ever matches the rule
 * - `always-true`: every event of its scope matches, though its conditions look as if not
 * - `duplicate`: another rule does the same for the same events
 * - `shadowed`: whatever matches it, a rule before it has aborted
 * - `contradictory`: an event makes it do what it, or another rule, undoes or does otherwise
 */
export type LintKind = "unsatisfiable" | "always-true" | "duplicate" | "shadowed" | "contradictory";

export interface LintFinding {
  kind: LintKind;
  rule: string;
  /** The rule that it is a duplicate of, is shadowed by, or contradicts. */
  other?: string;
  /** One line for a person. */
  message: string;
  /** Where in the rule, as in the document: `conditions[0]`, `actions[1]`. */
  paths: readonly string[];
  /**
   * An event that shows it: for `unsatisfiable` one that comes near, and does not match; for all
   * others one that matches. Absent where none was found, which for a duplicate may happen.
   */
  witness?: Witness;
}

/** A question that the analysis could answer neither way. */
export interface LintUnknown {
  kind: LintKind;
  rule: string;
  other?: string;
  why: string;
}

export interface LintReport {
  findings: readonly LintFinding[];
  unknown: readonly LintUnknown[];
}
