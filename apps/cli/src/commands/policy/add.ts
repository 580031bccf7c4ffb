import { systemClock } from "@holdfast/core";
import { type Finding, formatFinding } from "@holdfast/document";
import { parsePolicyText, type RuleText, splitPolicyText } from "@holdfast/policy";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { namedText } from "../../named-file.ts";
import { printable } from "../../output.ts";
import { addRules, placedRules } from "../../policy/policy-files.ts";
import { type PolicyPlace, policyPlaceOf, shortPath } from "../../policy/policy-place.ts";

interface AddOptions {
  validate?: boolean;
  force?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("<file>", "a policy document, YAML or JSON")
    .option("--validate", "show what would be added, and add it only without any warning")
    .option("--force", "replace policies of the same name; the old ones are kept")
    .action((file: string, options: AddOptions) => add(file, options, context));
  example(command, [
    "holdfast memory policy add no-secrets.yaml",
    "holdfast memory policy add rules.yaml --validate",
  ]);
}

function add(file: string, options: AddOptions, context: Context): void {
  const { output } = context;
  const place = policyPlaceOf(context);
  const text = namedText(file, { code: "USAGE", hint: "Name a file with policies." });
  const known = new Set(placedRules(place).map(({ rule }) => rule.name));
  const { findings } = parsePolicyText(text, { file, known });
  const parts = splitPolicyText(text);
  const isStrict = options.validate === true;
  if (parts.length === 0 || findings.some(({ severity }) => isStrict || severity === "error")) {
    context.exitStatus = EXIT.findings;
    output.result({ added: [], findings }, refusal(findings));
    return;
  }
  for (const finding of findings) output.warn(printable(formatFinding(finding)));
  if (isStrict) for (const part of parts) output.note(`valid: ${printable(titleOf(part))}`);
  const force = options.force === true;
  const paths = addRules(place, parts, { force, now: systemClock.now() });
  for (const { rule, commentsLost } of parts)
    if (commentsLost)
      output.warn(`the comments of ${rule.name} were not kept: its text cannot be cut out`);
  const added = parts.map(({ rule }, at) => ({ name: rule.name, file: paths[at] ?? "" }));
  output.result({ added, findings }, addedText(added, place));
}

function refusal(findings: readonly Finding[]): string {
  return [
    ...findings.map((finding) => `${finding.severity}: ${printable(formatFinding(finding))}`),
    "Nothing was added.",
  ].join("\n");
}

function titleOf({ rule }: RuleText): string {
  const actions = rule.actions.map(({ type }) => type).join(", ");
  const { scope = "global", priority = 0 } = rule;
  return `${rule.name} (${scope}, priority ${priority}): ${actions}`;
}

function addedText(added: readonly { name: string; file: string }[], place: PolicyPlace): string {
  return added
    .map(({ name, file }) => `Added ${printable(name)}, in ${printable(shortPath(place, file))}`)
    .join("\n");
}
