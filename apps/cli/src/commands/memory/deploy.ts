import { resolve } from "node:path";
import type { Command } from "commander";
import type { DeploymentPlan } from "@holdfast/config/deploy";
import type { Context } from "../../context.ts";
import { carryOut } from "../../deploy/carry-out.ts";
import { changesText, withoutSecrets } from "../../deploy/changes-text.ts";
import { deploymentsOf, environmentOf } from "../../deploy/open-deployments.ts";
import { example } from "../../help.ts";
import { type Output, printable } from "../../output.ts";

interface DeployOptions {
  backup?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .argument("<file>", "the configuration to deploy for the environment of --env")
    .option("--backup", "keep configuration, policies and memories before anything changes")
    .option("--dry-run", "only say what would change")
    .option("--force", "also a file that states another environment")
    .action((file: string, options: DeployOptions) =>
      deploy(file, options, environmentOf(command, context), context),
    );
  example(command, [
    "holdfast memory deploy holdfast.yaml --env staging --dry-run",
    "holdfast memory deploy holdfast.yaml --env production --backup",
  ]);
}

async function deploy(
  file: string,
  options: DeployOptions,
  environment: string | undefined,
  context: Context,
): Promise<void> {
  const { output } = context;
  const deployments = deploymentsOf(environment, context);
  const plan = deployments.plan(resolve(context.workingDirectory, file), {
    force: options.force === true,
  });
  for (const { file: at, line, path, message } of plan.loaded.warnings)
    output.warn(`${at}:${line}: ${path} ${message}`);
  const { changes, unchanged, base } = plan;
  const told = {
    environment,
    file: plan.content.origin.file,
    changes: withoutSecrets(changes),
    unchanged,
  };
  if (unchanged || options.dryRun) {
    const end = unchanged ? "" : "\nNothing was changed (--dry-run).";
    output.result({ ...told, dryRun: options.dryRun === true }, `${planText(plan, output)}${end}`);
    return;
  }
  output.say(planText(plan, output));
  const { number, at } = await carryOut(
    deployments,
    plan,
    { backup: options.backup === true },
    context,
  );
  output.result(
    { ...told, dryRun: false, number, at, replaced: base !== undefined },
    `Deployed as ${number}, and proved by a write, a read and a delete.\nUse it with: holdfast memory status --env ${environment}`,
  );
}

function planText(plan: DeploymentPlan, output: Output): string {
  const { content, unchanged, base, changes, damaged } = plan;
  const { file, environment } = content.origin;
  if (unchanged) return `${printable(file)} is in force for ${environment} already.`;
  const deployed = damaged ? "what is in force cannot be read" : "against what is in force";
  const against = base === undefined ? "nothing is deployed yet" : deployed;
  const head = `${printable(file)} for ${environment} (${against}):`;
  const same = changes.length === 0 ? ["  the same settings, written otherwise"] : [];
  return [head, ...same, ...changesText(changes, output)].join("\n");
}
