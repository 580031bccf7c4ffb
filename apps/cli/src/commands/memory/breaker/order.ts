import type { Command } from "commander";
import type { CircuitBreaker } from "@holdfast/breaker";
import { explanationText } from "../../../breaker-text.ts";
import type { Context } from "../../../context.ts";
import { usage } from "../../../selection.ts";
import { withBreaker } from "../../../wire.ts";

export interface OrderOptions {
  operation?: string;
  reason: string;
}

const REASON_LENGTH_MAX = 500;

/** `--operation`, as every breaker command takes it. */
export function operationOption(command: Command): Command {
  return command.option("--operation <name>", "only this one: read or write; default: all");
}

/** The options of an order: which circuits, and why. */
export function orderOptions(command: Command): Command {
  return operationOption(command).option(
    "--reason <text>",
    "why, for whoever finds it like this",
    reasonText,
    "ordered by hand",
  );
}

/** Gives an order to the breaker that all processes share, and says how it stands then. */
export async function order(
  { operation, reason }: OrderOptions,
  context: Context,
  give: (breaker: CircuitBreaker, reason: string, operation: string | undefined) => Promise<void>,
): Promise<void> {
  const { output } = context;
  const explanation = await withBreaker(context, async (breaker) => {
    const checked = checkedOperation(breaker, operation);
    await give(breaker, reason, checked);
    return breaker.explain(checked);
  });
  if (!explanation.enabled)
    output.warn(
      "circuit_breaker.enabled is false: the order is kept, and decides nothing until it is true",
    );
  output.result(explanation, explanationText(explanation, output));
}

/** @throws HoldfastError `USAGE` for an operation that has no circuit. */
export function checkedOperation(
  breaker: CircuitBreaker,
  operation: string | undefined,
): string | undefined {
  const known = Object.keys(breaker.explain().operations);
  if (operation === undefined || known.includes(operation)) return operation;
  throw usage(
    `There is no breaker for ${JSON.stringify(operation)}`,
    `Name one of: ${known.join(", ")}; or leave --operation out for all.`,
  );
}

function reasonText(text: string): string {
  const reason = text.trim();
  if (reason !== "" && reason.length <= REASON_LENGTH_MAX) return reason;
  throw usage(`A reason has 1 to ${REASON_LENGTH_MAX} characters`);
}
