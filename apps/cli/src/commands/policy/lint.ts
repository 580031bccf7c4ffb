import { type LintFinding, type LintUnknown, lintRules } from "@holdfast/policy";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { type Output, printable } from "../../output.ts";
import { type PlacedRule, placedRules } from "../../policy/policy-files.ts";
import { type PolicyPlace, policyPlaceOf, shortPath } from "../../policy/policy-place.ts";
import { counted } from "../../counted.ts";

/** They need no correction, so they do not push the findings out of sight. */
const UNKNOWN_SHOWN = 20;

export function register(command: Command, context: Context): void {
  command.action(() => lint(context));
  example(command, ["holdfast memory policy lint"]);
}

function lint(context: Context): void {
  const { output } = context;
  const place = policyPlaceOf(context);
  const placed = placedRules(place);
  const { timezone, seed } = place;
  const rules = placed.map(({ rule }) => rule);
  const { findings, unknown } = lintRules(rules, { timezone, seed });
  if (findings.length > 0) context.exitStatus = EXIT.findings;
  output.result(
    { rules: rules.length, findings, unknown },
    text(rules.length, findings, unknown, (name) => fileOf(name, placed, place), output),
  );
}

function text(
  rules: number,
  findings: readonly LintFinding[],
  unknown: readonly LintUnknown[],
  file: (rule: string) => string,
  output: Output,
): string {
  const lines = findings.flatMap(({ kind, rule, message, paths, witness }) => [
    `${file(rule)}: ${output.paint("yellow", kind)} ${printable(rule)}: ${printable(message)}`,
    ...(paths.length === 0 ? [] : [`    at ${paths.join(", ")}`]),
    ...(witness === undefined ? [] : [`    see: ${printable(JSON.stringify(witness.event))}`]),
  ]);
  const open = unknown.slice(0, UNKNOWN_SHOWN).map(({ kind, rule, other, why }) => {
    const pair = other === undefined ? rule : `${rule} and ${other}`;
    return `unknown: whether ${printable(pair)} is ${kind}: ${printable(why)}`;
  });
  if (unknown.length > UNKNOWN_SHOWN)
    open.push(`unknown: ${unknown.length - UNKNOWN_SHOWN} more, which --json lists`);
  const found = findings.length === 0 ? "nothing found" : `${findings.length} found`;
  return [...lines, ...open, `${counted(rules, "rule")}, ${found}, ${unknown.length} unknown`].join(
    "\n",
  );
}

function fileOf(name: string, placed: readonly PlacedRule[], place: PolicyPlace): string {
  const path = placed.find(({ rule }) => rule.name === name)?.file.path;
  return path === undefined ? "" : shortPath(place, path);
}
