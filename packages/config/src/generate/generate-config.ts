import type { Schema } from "@holdfast/document";
import { configSchema } from "../config-schema.ts";
import type { EnvironmentName } from "../deploy/origin.ts";
import { ENVIRONMENT_VALUES } from "./environment-values.ts";

export interface GenerateOptions {
  environment: EnvironmentName;
  /** Only what differs from the defaults, without comments. Default false. */
  minimal?: boolean;
}

/** What every file states, whatever the defaults are. */
const STATED = ["config_version", "environment", "vector_store.provider"];

/**
 * A configuration for an environment, as the text of a file: what it states, and, unless minimal,
 * every other key in a comment with its default and meaning.
 */
export function generateConfig(options: GenerateOptions): string {
  const { environment, minimal = false } = options;
  const values = { environment, ...ENVIRONMENT_VALUES[environment] };
  const sections = Object.entries<Schema>(configSchema.properties).map(([key, schema]) =>
    linesOf(key, schema, { path: key, depth: 0, values, minimal }),
  );
  const head = [
    `# yaml-language-server: $schema=${configSchema.$id}`,
    `# Holdfast, ${environment}. Check it with: holdfast memory validate FILE --strict`,
    ...(minimal ? [] : ["# What is in a comment is the default, or an example where it is empty."]),
  ];
  const body = minimal
    ? sections.flat()
    : sections.flatMap((lines) => (lines.length === 0 ? [] : ["", ...lines]));
  return `${[...head, ...body].join("\n")}\n`;
}

interface Place {
  path: string;
  depth: number;
  values: Readonly<Record<string, string>>;
  minimal: boolean;
  /** Whether it is all in a comment, in which the defaults are stated: it can be opened as one. */
  closed?: boolean;
}

function linesOf(key: string, schema: Schema, place: Place): string[] {
  const { path, depth, values, minimal, closed = false } = place;
  const indent = "  ".repeat(depth);
  const told = schema.description;
  const comment = minimal || told === undefined ? [] : [`${indent}# ${told}`];
  const nested = schema.default !== undefined && schema.properties !== undefined;
  const stands = closed && !nested && schema.default !== undefined;
  const value = valueOf(path, schema, values) ?? (stands ? exampleOf(schema) : undefined);
  if (value !== undefined) return [...comment, `${indent}${key}: ${value}`];
  if (!nested) return minimal ? [] : [...comment, `${indent}# ${key}: ${exampleOf(schema)}`];
  const below = (inner: Place): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, sub]) =>
      linesOf(name, sub, { ...inner, path: `${path}.${name}`, depth: depth + 1 }),
    );
  const lines = below(place);
  const states = lines.some((line) => !line.trimStart().startsWith("#"));
  if (states) return [...comment, `${indent}${key}:`, ...lines];
  // A section of which nothing is stated would be an empty value.
  if (minimal) return [];
  const shut = [`${indent}${key}:`, ...below({ ...place, closed: true })];
  return [...comment, ...shut.map(commented(indent))];
}

/** One `#` in the column of the section's own, so that a block can be uncommented as one. */
const commented =
  (indent: string) =>
  (line: string): string =>
    `${indent}# ${line.slice(indent.length)}`;

function valueOf(
  path: string,
  schema: Schema,
  values: Readonly<Record<string, string>>,
): string | undefined {
  const own = values[path];
  if (own !== undefined) return own;
  return STATED.includes(path) ? String(schema.default) : undefined;
}

/** The default; where there is none, something that the schema accepts. */
function exampleOf(schema: Schema): string {
  const { default: value } = schema;
  if (value !== undefined) return typeof value === "string" ? quoted(value) : JSON.stringify(value);
  const names = Object.keys(schema.properties ?? {});
  if (schema.maxProperties === 1 && names.includes("env")) return "{ env: NAME }";
  const [choice] = schema.enum ?? [];
  if (typeof choice === "string") return choice;
  const types = [schema.type ?? []].flat();
  if (types.includes("object")) {
    const parts = (schema.required ?? []).map(
      (name) => `${name}: ${exampleOf(schema.properties?.[name] ?? {})}`,
    );
    return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
  }
  if (types.includes("array")) return "[]";
  if (types.includes("boolean")) return "false";
  if (types.includes("number") && types.includes("string")) return "30s";
  if (types.includes("number")) return "0.5";
  if (types.includes("integer")) return String(schema.minimum ?? 1);
  return "NAME";
}

/** Plain where YAML reads it back as the same text. */
const quoted = (text: string): string =>
  /^[A-Za-z./][\w./-]*$/.test(text) && !/^(true|false|null)$/.test(text)
    ? text
    : /^\d+(ms|[smhd])$/.test(text)
      ? text
      : JSON.stringify(text);
