import type { Command } from "commander";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { order, orderOptions, type OrderOptions } from "./order.ts";

export function register(command: Command, context: Context): void {
  orderOptions(command).action(async (options: OrderOptions) => {
    await order(options, context, (breaker, ...what) => breaker.forceClosed(...what));
    context.output.note(
      "It lets every call through, whatever fails, until: holdfast memory breaker reset",
    );
  });
  example(command, ['holdfast memory breaker close --reason "watching it myself"']);
}
