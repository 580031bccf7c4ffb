import { suggest } from "./suggest.ts";
import type { YamlNode } from "./yaml-document.ts";

/** The part of JSON Schema draft-07 that the configuration's schema uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly default?: unknown;
}

export interface SchemaViolation {
  offset: number;
  path: string;
  message: string;
  expected?: string;
  suggestion?: string;
}

/** Compares a document with a schema, and says of each difference what would be accepted. */
export function checkSchema(node: YamlNode, schema: Schema): SchemaViolation[] {
  const found: SchemaViolation[] = [];
  check(node, schema, "", found);
  return found;
}

function check(node: YamlNode, schema: Schema, path: string, found: SchemaViolation[]): void {
  if (schema.type !== undefined && !typesOf(node).some((type) => typeNames(schema).includes(type)))
    return void found.push(wrongType(node, schema, path));
  if (node.kind === "scalar") checkScalar(node, schema, path, found);
  if (node.kind === "list") {
    if (node.items.length < (schema.minItems ?? 0))
      found.push({ offset: node.offset, path, message: "is empty", expected: "at least one item" });
    const { items } = schema;
    if (items !== undefined)
      for (const [index, item] of node.items.entries())
        check(item, items, `${path}[${index}]`, found);
  }
  if (node.kind === "map") checkMap(node, schema, path, found);
}

function checkScalar(
  node: Extract<YamlNode, { kind: "scalar" }>,
  schema: Schema,
  path: string,
  found: SchemaViolation[],
): void {
  const { value, offset } = node;
  const refuse = (message: string, expected: string, suggestion?: string): void => {
    found.push({
      offset,
      path,
      message,
      expected,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  };
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const names = schema.enum.map(String);
    refuse(`${shown(value)} is not known`, oneOf(names), suggest(String(value), names));
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) refuse(`${value} is not a number`, expectedNumber(schema));
    else if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))
      refuse(`${value} is out of range`, expectedNumber(schema));
  } else if (typeof value === "string") {
    if (value.length < (schema.minLength ?? 0)) refuse("is empty", "some text");
    else if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      refuse(`${shown(value)} has the wrong form`, expectedText(schema));
  }
}

function checkMap(
  node: Extract<YamlNode, { kind: "map" }>,
  schema: Schema,
  path: string,
  found: SchemaViolation[],
): void {
  const known = schema.properties ?? {};
  for (const [key, entry] of node.entries) {
    const at = path === "" ? key : `${path}.${key}`;
    const sub = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (typeof sub === "object") check(entry.value, sub, at, found);
    else if (sub === false) found.push(unknownKey(key, entry.keyOffset, at, Object.keys(known)));
  }
  const { size } = node.entries;
  if (size < (schema.minProperties ?? 0) || size > (schema.maxProperties ?? Infinity))
    found.push({
      offset: node.offset,
      path,
      message: `has ${size} keys`,
      expected: `exactly one of ${Object.keys(known).join(", ")}`,
    });
}

function unknownKey(key: string, offset: number, path: string, known: string[]): SchemaViolation {
  const suggestion = suggest(key, known);
  const violation = { offset, path, message: "is not a known key", expected: oneOf(known) };
  return suggestion === undefined ? violation : { ...violation, suggestion };
}

function wrongType(node: YamlNode, schema: Schema, path: string): SchemaViolation {
  const names = typeNames(schema);
  const secretsOnly = names.length === 1 && schema.properties?.["env"] !== undefined;
  // What is written where a secret belongs may be one, so it is not repeated.
  if (secretsOnly)
    return {
      offset: node.offset,
      path,
      message: "secrets are not written into the file",
      expected: "{env: NAME} or {file: PATH}",
    };
  const written = node.kind === "scalar" ? shown(node.value) : `a ${node.kind}`;
  const violation: SchemaViolation = {
    offset: node.offset,
    path,
    message: `is ${written}`,
    expected: expectedType(schema),
  };
  const suggestion = node.kind === "scalar" ? coerced(node.value, names) : undefined;
  return suggestion === undefined ? violation : { ...violation, suggestion };
}

/** `enabled: yes` was meant as true, `port: "8000"` as 8000. */
function coerced(value: unknown, names: readonly string[]): string | undefined {
  if (typeof value !== "string") return undefined;
  if (names.includes("boolean")) {
    if (/^(yes|on|true|y)$/i.test(value)) return "true";
    if (/^(no|off|false|n)$/i.test(value)) return "false";
  }
  const numeric = names.includes("integer") || names.includes("number");
  return numeric && /^-?\d+(\.\d+)?$/.test(value.trim())
    ? `${value.trim()} without quotes`
    : undefined;
}

function typesOf(node: YamlNode): string[] {
  if (node.kind === "list") return ["array"];
  if (node.kind === "map") return ["object"];
  if (node.value === null) return ["null"];
  if (typeof node.value !== "number") return [typeof node.value];
  return Number.isInteger(node.value) ? ["integer", "number"] : ["number"];
}

function typeNames(schema: Schema): readonly string[] {
  if (schema.type === undefined) return [];
  return typeof schema.type === "string" ? [schema.type] : schema.type;
}

function expectedType(schema: Schema): string {
  if (schema.enum !== undefined) return oneOf(schema.enum.map(String));
  if (isDuration(schema)) return DURATION;
  const words: Record<string, string> = {
    object: "a mapping",
    array: "a list",
    string: "text",
    boolean: "true or false",
  };
  return typeNames(schema)
    .map((name) => words[name] ?? expectedNumber(schema))
    .join(" or ");
}

const DURATION = 'seconds, or a number with a unit such as "30s" or "5m"';
const isDuration = (schema: Schema): boolean =>
  typeNames(schema).includes("number") && schema.pattern !== undefined;

function expectedText(schema: Schema & { description?: string }): string {
  return isDuration(schema) ? DURATION : (schema.description ?? `text like ${schema.pattern}`);
}

function expectedNumber(schema: Schema): string {
  const kind = typeNames(schema).includes("integer") ? "a whole number" : "a number";
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return `${kind} from ${schema.minimum} to ${schema.maximum}`;
  return schema.minimum === undefined ? kind : `${kind} of at least ${schema.minimum}`;
}

const oneOf = (names: readonly string[]): string =>
  names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;

const shown = (value: unknown): string =>
  value === null ? "empty" : JSON.stringify(value).slice(0, 80);
