import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { carryOut } from "../../deploy/carry-out.ts";
import { changesText, withoutSecrets } from "../../deploy/changes-text.ts";
import { deploymentsOf, environmentOf } from "../../deploy/open-deployments.ts";
import { example } from "../../help.ts";
import { wholeNumber } from "../../selection.ts";

export function register(command: Command, context: Context): void {
  command
    .option(
      "--to <n>",
      "to this deployment; default: the last proved one that is not in force",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .action((options: { to?: number }) =>
      rollback(options.to, environmentOf(command, context), context),
    );
  example(command, [
    "holdfast memory rollback --env production",
    "holdfast memory rollback --env production --to 3",
  ]);
}

async function rollback(
  to: number | undefined,
  environment: string | undefined,
  context: Context,
): Promise<void> {
  const { output } = context;
  const deployments = deploymentsOf(environment, context);
  const plan = deployments.planRollback(to);
  const { changes, unchanged, rollbackTo } = plan;
  if (unchanged) {
    output.result({ environment, unchanged, rollbackTo }, "It is in force already.");
    return;
  }
  output.say(`Back to deployment ${rollbackTo} for ${environment}:`);
  for (const line of changesText(changes, output)) output.say(line);
  const { number, at } = await carryOut(deployments, plan, { backup: false }, context);
  output.result(
    { environment, unchanged, rollbackTo, number, at, changes: withoutSecrets(changes) },
    `Deployment ${rollbackTo} is in force again, as ${number}, and proved.`,
  );
}
