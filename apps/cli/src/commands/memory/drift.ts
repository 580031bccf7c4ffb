import type { Command } from "commander";
import type { Drift } from "@holdfast/config/deploy";
import type { Context } from "../../context.ts";
import { changesText, withoutSecrets } from "../../deploy/changes-text.ts";
import { deploymentsOf, environmentOf } from "../../deploy/open-deployments.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { type Output, printable } from "../../output.ts";

export function register(command: Command, context: Context): void {
  command
    .option("--exit-code", "end with 5 when there is drift")
    .action((options: { exitCode?: boolean }) =>
      drift(options.exitCode === true, environmentOf(command, context), context),
    );
  example(command, ["holdfast memory drift --env production --exit-code"]);
}

function drift(exitCode: boolean, environment: string | undefined, context: Context): void {
  const found = deploymentsOf(environment, context)
    .drift()
    .map((each): Drift => ({ ...each, changes: withoutSecrets(each.changes) }));
  if (exitCode && found.length > 0) context.exitStatus = EXIT.drift;
  context.output.result(
    { environment, clean: found.length === 0, drift: found },
    text(found, environment ?? "", context.output),
  );
}

function text(found: readonly Drift[], environment: string, output: Output): string {
  if (found.length === 0) return `No drift: ${environment} runs what was deployed.`;
  const lines = found.flatMap(({ kind, message, changes }) => [
    `${output.paint("yellow", kind)}: ${printable(message)}`,
    ...changesText(changes, output),
  ]);
  return [...lines, `next: holdfast memory deploy FILE --env ${environment}`].join("\n");
}
