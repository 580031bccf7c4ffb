import type { Command } from "commander";
import { explainConfig, type KeyExplanation, type Statement } from "@holdfast/config";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { columns, printable } from "../../output.ts";
import { shownValue } from "../../shown-value.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("[path]", "a key such as outbox.wait, or a section; default: everything")
    .action((path = "") => explain(path, context));
  example(command, [
    "holdfast memory config explain outbox.wait",
    "holdfast memory config explain vector_store",
  ]);
}

function explain(path: string, context: Context): void {
  const { file, source } = context.config();
  const keys = explainConfig(path, context.loadOptions).map((key) => ({
    ...key,
    value: shownValue(key.value),
    statements: key.statements.map((said) => ({ ...said, value: shownValue(said.value) })),
  }));
  const single = keys.length === 1 && keys[0]?.path === path ? keys[0] : undefined;
  const text = single === undefined ? tableOf(keys) : storyOf(single);
  context.output.result({ file, source, keys }, printable(text));
}

/** Of one key: who says what, the winner first. */
function storyOf(key: KeyExplanation): string {
  const [winner, ...others] = key.statements;
  return [
    `${key.path}: ${valueOf(key.value)}`,
    ...(key.description === undefined ? [] : [`  ${key.description}`]),
    winner === undefined || key.layer === "selection"
      ? `  decided by the ${key.layer}`
      : `  decided by ${placeOf(winner)}`,
    ...others.map((other) => `  over ${placeOf(other)}, which says ${valueOf(other.value)}`),
    ...(key.default === undefined ? [] : [`  default ${valueOf(key.default)}`]),
    `  variable ${key.variable}`,
  ].join("\n");
}

function tableOf(keys: readonly KeyExplanation[]): string {
  return columns(
    keys
      .filter(({ value }) => value !== undefined)
      .map(({ path, value, layer, statements: [winner] }) => [
        path,
        valueOf(value),
        winner === undefined || layer === "selection" ? layer : placeOf(winner),
      ]),
  );
}

/** A variable or flag is one line; a file has many. */
function placeOf({ layer, file, line, column }: Statement): string {
  return layer === "file" || layer === "overlay" ? `${file}:${line}:${column}` : file;
}

function valueOf(value: unknown): string {
  if (value === undefined) return "not set";
  return typeof value === "string" ? value : JSON.stringify(value);
}
