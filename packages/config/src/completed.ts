import { resolve } from "node:path";
import { parseYaml, type Schema, type YamlNode } from "@holdfast/document";
import { type Config, configSchema } from "./config-schema.ts";
import { schemaOf } from "./layers/merge.ts";
import { modeOf } from "./rules/vector-store.ts";

/** A schema's own word: the text is a path, and resolves from the folder of what states it. */
export interface PathSchema extends Schema {
  readonly "x-path"?: string;
}

/**
 * The configuration of a valid document: defaults filled in wherever a key is missing, in items
 * and under names of one's own too, and paths made absolute.
 */
export function completed(
  document: YamlNode,
  folderAt: (offset: number) => string,
  folder: string,
): Config {
  const config = complete(document, configSchema, { folderAt, folder }) as Config;
  const store = config.vector_store.config;
  store.mode = modeOf(document);
  if (store.mode === "managed") {
    store.persist_directory ??= store.path ?? resolve(folder, ".holdfast/chroma");
    delete store.path;
  }
  return config;
}

interface Folders {
  folderAt: (offset: number) => string;
  /** Of paths that are defaults. */
  folder: string;
}

function complete(node: YamlNode | undefined, schema: PathSchema, folders: Folders): unknown {
  if (node === undefined && schema.default === undefined) return undefined;
  // The items of a default have defaults of their own.
  if (node === undefined && Array.isArray(schema.default))
    return complete(parseYaml(JSON.stringify(schema.default)), schema, folders);
  if (node?.kind === "list")
    return node.items.map((item) => complete(item, schema.items ?? {}, folders));
  if (node?.kind === "scalar" || schema.properties === undefined) {
    if (node?.kind === "map") return completeMap(node, schema, folders);
    const value = node === undefined ? structuredClone(schema.default) : node.value;
    if (schema["x-path"] === undefined || typeof value !== "string") return value;
    return resolve(node === undefined ? folders.folder : folders.folderAt(node.offset), value);
  }
  return completeMap(node, schema, folders);
}

function completeMap(
  node: Extract<YamlNode, { kind: "map" }> | undefined,
  schema: Schema,
  folders: Folders,
): object {
  const result: Record<string, unknown> = {};
  for (const key of new Set([
    ...Object.keys(schema.properties ?? {}),
    ...(node?.entries.keys() ?? []),
  ])) {
    const value = complete(node?.entries.get(key)?.value, schemaOf(schema, key) ?? {}, folders);
    if (value === undefined) continue;
    // Never by assignment: a key may be called __proto__.
    Object.defineProperty(result, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}
