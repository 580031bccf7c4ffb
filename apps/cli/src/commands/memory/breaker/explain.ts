import type { Command } from "commander";
import { explanationText } from "../../../breaker-text.ts";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { withBreaker } from "../../../wire.ts";
import { checkedOperation, operationOption } from "./order.ts";

export function register(command: Command, context: Context): void {
  operationOption(command).action((options: { operation?: string }) => explain(options, context));
  example(command, [
    "holdfast memory breaker explain",
    "holdfast memory breaker explain --operation write --json",
  ]);
}

async function explain({ operation }: { operation?: string }, context: Context): Promise<void> {
  const explanation = await withBreaker(context, (breaker) =>
    breaker.explain(checkedOperation(breaker, operation)),
  );
  context.output.result(explanation, explanationText(explanation, context.output));
}
