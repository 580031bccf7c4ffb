import type { Schema, YamlNode } from "@holdfast/document";

/**
 * What both state; where they differ, what `upper` does. Mappings are merged key by key, lists and
 * secrets are taken whole: `{file: …}` over `{env: …}` is not both.
 */
export function merged(lower: YamlNode, upper: YamlNode, schema: Schema | undefined): YamlNode {
  if (lower.kind !== "map" || upper.kind !== "map" || schema?.maxProperties === 1) return upper;
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const below = entries.get(key);
    const value =
      below === undefined ? entry.value : merged(below.value, entry.value, schemaOf(schema, key));
    entries.set(key, { keyOffset: entry.keyOffset, value });
  }
  return { ...upper, entries };
}

/** The schema of a mapping's key. */
export function schemaOf(schema: Schema | undefined, key: string): Schema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  if (Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}
