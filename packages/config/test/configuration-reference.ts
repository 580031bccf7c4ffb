import type { Schema } from "@holdfast/document";
import { configSchema, variableOf } from "@holdfast/config";

/** `docs/configuration.md`, made from the schema. */
export function configurationReference(): string {
  const sections = Object.entries<Schema>(configSchema.properties).map(([key, schema]) => {
    const rows = rowsOf(schema, key);
    const told = schema.properties === undefined ? [] : [`${schema.description ?? ""}\n`];
    return [`## \`${key}\`\n`, ...told, TABLE, ...rows].join("\n");
  });
  return `${HEAD}\n${sections.join("\n\n")}\n`;
}

const HEAD = `# The configuration, key by key

This page is made from the schema, which \`holdfast schema config\` prints. A commented file to begin
with: \`holdfast memory generate\`. What is wrong with one: \`holdfast memory validate FILE\`. What
decided a key: \`holdfast config explain KEY\`.

Layers, each above the one before it: the defaults below · the file, \`holdfast.yaml\` · the overlay of
its environment beside it, \`holdfast.production.yaml\` · variables, \`${variableOf("outbox.wait")}\` for
\`outbox.wait\` · \`--set outbox.wait=5s\`. Mappings are merged key by key; lists and secrets are
taken whole. An empty variable is not set.

Durations are seconds, or a number with a unit: \`250ms\`, \`30s\`, \`5m\`, \`2h\`, \`7d\`. Relative paths
resolve from the file that states them, those of variables and flags from the working directory.
Secrets stand in no file: they are \`{env: NAME}\` or \`{file: PATH}\`. \`\${VAR}\`, \`\${VAR:-default}\` and
\`\${VAR:?message}\` are replaced in values.
`;

const TABLE = "| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |";

function rowsOf(schema: Schema, path: string): string[] {
  const { properties, items, additionalProperties: others } = schema;
  const reference = schema.maxProperties === 1;
  if (properties === undefined || reference) {
    const row = `| \`${path}\` | ${valueOf(schema)} | ${defaultOf(schema)} | ${cell(schema.description ?? "")} |`;
    const below = [
      ...(items?.properties === undefined ? [] : rowsOf(items, `${path}[]`)),
      ...(typeof others === "object" &&
      others.properties !== undefined &&
      others.maxProperties !== 1
        ? rowsOf(others, `${path}.*`)
        : []),
    ];
    return [row, ...below];
  }
  return Object.entries<Schema>(properties).flatMap(([key, sub]) => rowsOf(sub, `${path}.${key}`));
}

function valueOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (schema.maxProperties === 1) return "secret";
  const types = [schema.type ?? []].flat();
  if (types.includes("number") && types.includes("string")) return "duration";
  const names: Record<string, string> = {
    array: "list",
    object: "mapping",
    string: "text",
    boolean: "true, false",
  };
  return types
    .filter((type) => type !== "object" || types.length === 1)
    .map((type) => names[type] ?? numberOf(type, schema))
    .join(", ");
}

function numberOf(
  type: string,
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema,
): string {
  const kind = type === "integer" ? "whole number" : "number";
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  if (low === undefined) return kind;
  const above = exclusiveMinimum === undefined ? "from" : "above";
  const bound = exclusiveMaximum === undefined ? "to" : "below";
  return `${kind} ${above} ${low}${high === undefined ? "" : ` ${bound} ${high}`}`;
}

const defaultOf = ({ default: value }: Schema): string =>
  value === undefined ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

const cell = (text: string): string => text.replaceAll("|", "\\|");
