import { Argument, type Command } from "commander";
import type { Context } from "../context.ts";
import { example } from "../help.ts";

export function register(command: Command, context: Context): void {
  command
    .addArgument(new Argument("<kind>", "which files it describes").choices(["config", "policy"]))
    .action((kind: "config" | "policy") => print(kind, context));
  example(command, ["holdfast schema config > holdfast.schema.json"]);
}

async function print(kind: "config" | "policy", { output }: Context): Promise<void> {
  const schema =
    kind === "config"
      ? (await import("@holdfast/config")).configSchema
      : (await import("@holdfast/policy")).policySchema;
  output.result(schema, JSON.stringify(schema, null, 2));
}
