import { loadPolicies } from "@holdfast/policy";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { evaluateDry } from "../../policy/dry-evaluation.ts";
import { evaluationText } from "../../policy/evaluation-text.ts";
import { eventFrom } from "../../policy/event-argument.ts";
import { policyPlaceOf } from "../../policy/policy-place.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<event>", "an event: a file, or JSON as it is, or - for stdin")
    .action((event: string) => explain(event, context));
  example(command, [
    `holdfast memory policy explain '{"text": "my password is hunter2"}'`,
    "holdfast memory policy explain event.json",
  ]);
}

async function explain(argument: string, context: Context): Promise<void> {
  const place = policyPlaceOf(context);
  const { ruleset } = loadPolicies(place.directory);
  const event = await eventFrom(argument);
  const evaluation = evaluateDry(ruleset, event, place);
  const { decision, effects, trace } = evaluation;
  context.output.result(
    { event, decision, effects, trace },
    evaluationText(event, evaluation, context.output),
  );
}
