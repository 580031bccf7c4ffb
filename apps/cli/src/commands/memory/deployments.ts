import type { Command } from "commander";
import { ENVIRONMENTS } from "@holdfast/config";
import type { ListedDeployment } from "@holdfast/config/deploy";
import type { Context } from "../../context.ts";
import { deploymentsOf } from "../../deploy/open-deployments.ts";
import { example } from "../../help.ts";
import { moment } from "../../memory-text.ts";
import { columns, printable } from "../../output.ts";

export function register(command: Command, context: Context): void {
  command.action(() => list(command.optsWithGlobals<{ env?: string }>().env, context));
  example(command, ["holdfast memory deployments", "holdfast memory deployments --env production"]);
}

function list(named: string | undefined, context: Context): void {
  const names = named === undefined ? ENVIRONMENTS : [named];
  const found = names.flatMap((environment) =>
    deploymentsOf(environment, context)
      .list()
      .map((deployment) => ({ environment, ...deployment })),
  );
  context.output.result({ deployments: found }, text(found));
}

function text(found: readonly (ListedDeployment & { environment: string })[]): string {
  if (found.length === 0)
    return "Nothing was deployed.\nnext: holdfast memory deploy FILE --env NAME";
  const rows = found.map((each) => [
    each.environment,
    String(each.number),
    moment(each.at),
    stateOf(each),
    each.content.slice(0, 12),
    each.file,
  ]);
  return printable(columns([["FOR", "NUMBER", "WHEN", "STATE", "CONTENT", "FILE"], ...rows]));
}

function stateOf({ inForce, outcome, rollbackTo, reason }: ListedDeployment): string {
  const parts = [
    ...(inForce ? ["in force"] : []),
    ...(inForce && outcome === "proved" ? [] : [outcome]),
    ...(rollbackTo === undefined ? [] : [`back to ${rollbackTo}`]),
    ...(reason === undefined ? [] : [reason.split("\n")[0] ?? ""]),
  ];
  return parts.join(", ");
}
