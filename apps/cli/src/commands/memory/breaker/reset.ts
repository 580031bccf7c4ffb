import type { Command } from "commander";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { order, orderOptions, type OrderOptions } from "./order.ts";

export function register(command: Command, context: Context): void {
  orderOptions(command).action((options: OrderOptions) =>
    order(options, context, (breaker, ...what) => breaker.reset(...what)),
  );
  example(command, ['holdfast memory breaker reset --reason "the database has moved"']);
}
