import { expect, test } from "@jest/globals";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { configSchema } from "@holdfast/config";
import type { Schema } from "@holdfast/document";
import { configurationReference } from "./configuration-reference.ts";

const root = join(import.meta.dirname, "..");
const DOCS = join(root, "../../docs/configuration.md");
const SCHEMA = join(root, "schema/config.v1.json");

/** What stands in the file; with UPDATE_REFERENCE=1 it is written first. */
function written(path: string, text: string): string {
  if (process.env["UPDATE_REFERENCE"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return readFileSync(path, "utf8");
}

/** A formatter may pad the tables. */
const plain = (text: string): string => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");

test("docs/configuration.md says what the schema says; UPDATE_REFERENCE=1 writes it anew", () => {
  const text = configurationReference();
  expect(plain(written(DOCS, text))).toBe(plain(text));
});

test("the schema that the package ships is the one in force; UPDATE_REFERENCE=1 writes it anew", () => {
  expect(JSON.parse(written(SCHEMA, JSON.stringify(configSchema)))).toEqual(configSchema);
});

const CHECKED = new Set(
  `type enum minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength pattern items
   minItems maxItems properties required additionalProperties minProperties maxProperties default
   $schema $id title description x-path`.split(/\s+/),
);

test("the schema says nothing that is not checked, and describes durations in one way", () => {
  const unknown = new Set<string>();
  const patterns = new Set<string | undefined>();
  const visit = (schema: Schema): void => {
    for (const keyword of Object.keys(schema)) if (!CHECKED.has(keyword)) unknown.add(keyword);
    if (Array.isArray(schema.type) && schema.type.join() === "number,string")
      patterns.add(schema.pattern?.replace(/\((.*)\|never\)/, "$1"));
    for (const below of Object.values(schema.properties ?? {})) visit(below);
    if (schema.items !== undefined) visit(schema.items);
    if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties);
  };
  visit(configSchema);
  expect([...unknown]).toEqual([]);
  expect(patterns.size).toBe(1);
});
