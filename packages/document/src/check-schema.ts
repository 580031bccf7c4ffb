import {
  counted,
  expectedLength,
  expectedNumber,
  expectedText,
  expectedType,
  oneOf,
  shown,
  typeNames,
} from "./expectation.ts";
import type { Schema } from "./schema.ts";
import { suggest } from "./suggest.ts";
import type { YamlNode } from "./yaml-document.ts";

export interface SchemaViolation {
  /** Which check found it, for programs. */
  rule:
    | "wrong-type"
    | "not-a-choice"
    | "out-of-range"
    | "wrong-form"
    | "wrong-size"
    | "unknown-key"
    | "missing-key"
    | "secret-in-file";
  offset: number;
  path: string;
  message: string;
  expected?: string;
  suggestion?: string;
}

/** Compares a document with a schema, and says of each difference what would be accepted. */
export function checkSchema(node: YamlNode, schema: Schema): SchemaViolation[] {
  const found: SchemaViolation[] = [];
  check(node, schema, "", { found, definitions: schema.definitions ?? {} });
  return found;
}

/** Where differences are put, and what references lead to. */
interface Checking {
  found: SchemaViolation[];
  definitions: Readonly<Record<string, Schema>>;
}

function check(node: YamlNode, given: Schema, path: string, checking: Checking): void {
  const { found, definitions } = checking;
  const referred = given.$ref === undefined ? given : definitionOf(given.$ref, definitions);
  const schema = referred.oneOf === undefined ? referred : branchOf(node, referred.oneOf);
  if (schema === undefined) return void found.push(unknownBranch(node, referred, path));
  if (schema.type !== undefined && !typesOf(node).some((type) => typeNames(schema).includes(type)))
    return void found.push(wrongType(node, schema, path));
  if (node.kind === "scalar") checkScalar(node, schema, path, found);
  else if (schema.enum !== undefined)
    return void found.push({
      rule: "not-a-choice",
      offset: node.offset,
      path,
      message: `a ${node.kind} is not known`,
      expected: oneOf(schema.enum.map(String)),
    });
  if (node.kind === "list") {
    checkLength(node, schema, path, found);
    const { items } = schema;
    if (items !== undefined)
      for (const [index, item] of node.items.entries())
        check(item, items, `${path}[${index}]`, checking);
  }
  if (node.kind === "map") checkMap(node, schema, path, checking);
}

function definitionOf(reference: string, definitions: Checking["definitions"]): Schema {
  const schema = definitions[reference.replace("#/definitions/", "")];
  if (schema === undefined) throw new TypeError(`The schema has no ${reference}`);
  return schema;
}

/** The branch whose `type` is the document's; for what is no mapping, any: they all refuse it. */
function branchOf(node: YamlNode, branches: readonly Schema[]): Schema | undefined {
  if (node.kind !== "map") return branches[0];
  const type = node.entries.get("type")?.value;
  if (type?.kind !== "scalar") return undefined;
  return branches.find((branch) => branch.properties?.["type"]?.enum?.includes(type.value));
}

function unknownBranch(
  node: YamlNode,
  { oneOf: branches = [] }: Schema,
  path: string,
): SchemaViolation {
  const types = branches.flatMap((branch) => branch.properties?.["type"]?.enum ?? []).map(String);
  const written = node.kind === "map" ? node.entries.get("type") : undefined;
  if (written === undefined)
    return {
      rule: "missing-key",
      offset: node.offset,
      path,
      message: "lacks the key type",
      expected: oneOf(types),
    };
  const { value, keyOffset } = written;
  const name = value.kind === "scalar" ? shown(value.value) : `a ${value.kind}`;
  const meant = value.kind === "scalar" ? suggest(String(value.value), types) : undefined;
  return {
    rule: "not-a-choice",
    offset: value.kind === "scalar" ? value.offset : keyOffset,
    path: path === "" ? "type" : `${path}.type`,
    message: `${name} is not known`,
    expected: oneOf(types),
    ...(meant === undefined ? {} : { suggestion: meant }),
  };
}

function checkLength(
  { items, offset }: Extract<YamlNode, { kind: "list" }>,
  { minItems = 0, maxItems = Infinity }: Schema,
  path: string,
  found: SchemaViolation[],
): void {
  if (items.length >= minItems && items.length <= maxItems) return;
  const message = items.length === 0 ? "is empty" : `has ${counted(items.length, "item")}`;
  const few = items.length < minItems;
  const expected = few
    ? `at least ${counted(minItems, "item")}`
    : `at most ${counted(maxItems, "item")}`;
  found.push({ rule: "wrong-size", offset, path, message, expected });
}

function checkScalar(
  node: Extract<YamlNode, { kind: "scalar" }>,
  schema: Schema,
  path: string,
  found: SchemaViolation[],
): void {
  const { value, offset } = node;
  const refuse = (
    rule: SchemaViolation["rule"],
    message: string,
    expected: string,
    suggestion?: string,
  ): void => {
    found.push({
      rule,
      offset,
      path,
      message,
      expected,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  };
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const names = schema.enum.map(String);
    const meant = suggest(String(value), names);
    refuse("not-a-choice", `${shown(value)} is not known`, oneOf(names), meant);
  } else if (typeof value === "number") {
    if (!Number.isFinite(value))
      refuse("wrong-type", `${value} is not a number`, expectedNumber(schema));
    else if (!inRange(value, schema))
      refuse("out-of-range", `${value} is out of range`, expectedNumber(schema));
  } else if (typeof value === "string") {
    // JSON Schema counts characters, not UTF-16 units.
    const length = schema.minLength || schema.maxLength ? Array.from(value).length : 0;
    if (length < (schema.minLength ?? 0))
      refuse("wrong-size", length === 0 ? "is empty" : "is too short", expectedLength(schema));
    else if (length > (schema.maxLength ?? Infinity))
      refuse("wrong-size", `has ${length} characters`, `at most ${schema.maxLength}`);
    else if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      refuse("wrong-form", `${shown(value)} has the wrong form`, expectedText(schema));
  }
}

function checkMap(
  node: Extract<YamlNode, { kind: "map" }>,
  schema: Schema,
  path: string,
  checking: Checking,
): void {
  const { found } = checking;
  const known = schema.properties ?? {};
  for (const [key, entry] of node.entries) {
    const at = path === "" ? key : `${path}.${key}`;
    const sub = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (typeof sub === "object") check(entry.value, sub, at, checking);
    else if (sub === false) found.push(unknownKey(key, entry.keyOffset, at, Object.keys(known)));
  }
  for (const key of schema.required ?? [])
    if (!node.entries.has(key))
      found.push({
        rule: "missing-key",
        offset: node.offset,
        path,
        message: `lacks ${key}`,
        expected: `a line ${key}: with ${expectedType(known[key] ?? {})}`,
      });
  const { minProperties = 0, maxProperties = Infinity } = schema;
  const { size } = node.entries;
  if (size >= minProperties && size <= maxProperties) return;
  const choice = minProperties === 1 && maxProperties === 1 && schema.properties !== undefined;
  const few = size < minProperties;
  found.push({
    rule: "wrong-size",
    offset: node.offset,
    path,
    message: `has ${counted(size, "key")}`,
    expected: choice
      ? `exactly one of ${Object.keys(known).join(", ")}`
      : `at ${few ? "least" : "most"} ${few ? minProperties : maxProperties}`,
  });
}

function unknownKey(key: string, offset: number, path: string, known: string[]): SchemaViolation {
  const suggestion = suggest(key, known);
  const violation: SchemaViolation = {
    rule: "unknown-key",
    offset,
    path,
    message: "is not a known key",
    expected: oneOf(known),
  };
  return suggestion === undefined ? violation : { ...violation, suggestion };
}

function wrongType(node: YamlNode, schema: Schema, path: string): SchemaViolation {
  const names = typeNames(schema);
  const secretsOnly = names.length === 1 && schema.properties?.["env"] !== undefined;
  // What is written where a secret belongs may be one, so it is not repeated.
  if (secretsOnly)
    return {
      rule: "secret-in-file",
      offset: node.offset,
      path,
      message: "secrets are not written into the file",
      expected: "{env: NAME} or {file: PATH}",
    };
  const written = node.kind === "scalar" ? shown(node.value) : `a ${node.kind}`;
  const violation: SchemaViolation = {
    rule: "wrong-type",
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

function inRange(value: number, schema: Schema): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return (
    value >= (minimum ?? -Infinity) &&
    value <= (maximum ?? Infinity) &&
    value > (exclusiveMinimum ?? -Infinity) &&
    value < (exclusiveMaximum ?? Infinity)
  );
}
