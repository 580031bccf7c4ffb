import { formatFinding } from "@holdfast/document";
import { createRuleset, type PolicyRule, readPolicies } from "@holdfast/policy";
import { type Command, Option } from "commander";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { columns, printable } from "../../output.ts";
import { placedRules } from "../../policy/policy-files.ts";
import { policyPlaceOf, shortPath } from "../../policy/policy-place.ts";

const SCOPES = ["global", "agent", "workflow", "task", "user", "session"];

interface ListOptions {
  scope?: string;
  enabledOnly?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .addOption(new Option("--scope <scope>", "only rules of this scope").choices(SCOPES))
    .option("--enabled-only", "leave out rules that are not enabled")
    .action((options: ListOptions) => list(options, context));
  example(command, [
    "holdfast memory policy list",
    "holdfast memory policy list --scope user --enabled-only",
  ]);
}

function list(options: ListOptions, context: Context): void {
  const { output } = context;
  const place = policyPlaceOf(context);
  const { findings } = readPolicies(place.directory);
  const isBroken = findings.some(({ severity }) => severity === "error");
  for (const finding of findings) output.warn(printable(formatFinding(finding)));
  if (isBroken) context.exitStatus = EXIT.findings;
  if (!place.enabled)
    output.warn("none of them decides: the configuration says policies.enabled: false");
  const files = new Map(placedRules(place).map(({ rule, file }) => [rule, file]));
  const all = [...files.keys()];
  // Rules that cannot be in force together have no order in which they decide.
  const ordered = isBroken ? all : createRuleset(all).rules;
  const rules = ordered
    .filter((rule) => options.scope === undefined || scopeOf(rule) === options.scope)
    .filter((rule) => options.enabledOnly !== true || rule.enabled !== false)
    .map((rule) => ({ rule, file: shortPath(place, files.get(rule)?.path ?? "") }));
  output.result(
    {
      inForce: place.enabled && !isBroken,
      policies: rules.map(({ rule, file }) => ({ ...rule, file })),
    },
    rules.length === 0 ? nothing(all.length) : table(rules),
  );
}

const scopeOf = ({ scope = "global" }: PolicyRule): string => scope;

function nothing(total: number): string {
  if (total > 0) return "No policy is like that.";
  return "There are no policies.\nnext: holdfast memory policy add FILE";
}

function table(rules: readonly { rule: PolicyRule; file: string }[]): string {
  const rows = rules.map(({ rule, file }) => [
    printable(rule.name),
    String(rule.priority ?? 0),
    scopeOf(rule),
    rule.enabled === false ? "no" : "yes",
    rule.actions.map(({ type }) => type).join(", "),
    printable(file),
  ]);
  return columns([["NAME", "PRIORITY", "SCOPE", "ENABLED", "ACTIONS", "FILE"], ...rows]);
}
