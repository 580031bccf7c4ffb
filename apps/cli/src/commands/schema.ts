import type { Command } from "commander";
import type { Context } from "../context.ts";
import { example } from "../help.ts";
import { inFull } from "../program.ts";
import { publishedSchema, schemaNameOf } from "../published-schema.ts";
import { usage } from "../selection.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("<kind...>", "config, policy, envelope, or a command: the data of its --json")
    .action((words: string[]) => print(words, context));
  example(command, [
    "holdfast schema config > holdfast.schema.json",
    "holdfast schema memory add",
    "holdfast schema envelope",
  ]);
}

async function print(words: readonly string[], { output }: Context): Promise<void> {
  const schema = await schemaOf(words);
  output.result(schema, JSON.stringify(schema, null, 2));
}

async function schemaOf(words: readonly string[]): Promise<object> {
  const name = words.join(" ");
  if (name === "config") return (await import("@holdfast/config")).configSchema;
  if (name === "policy") return (await import("@holdfast/policy")).policySchema;
  const known = publishedSchema(schemaNameOf(inFull(words).join(" ")));
  if (known !== undefined) return known;
  throw usage(
    `There is no schema ${JSON.stringify(name)}`,
    "Name config, policy, envelope, or a command, as in: holdfast schema memory status",
  );
}
