import { dirname, resolve } from "node:path";
import {
  checkSchema,
  type Finding,
  parseYaml,
  plainData,
  positionAt,
  type Schema,
  YamlError,
  type YamlNode,
} from "@holdfast/document";
import { ConfigError } from "./config-error.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { type Environment, interpolate } from "./interpolate.ts";
import { modeOf, rules } from "./rules.ts";

export interface ParseOptions {
  /** Named in findings. Absolute. */
  file: string;
  /** From where relative paths in the text resolve. Default: the file's folder. */
  directory?: string;
  /** Where `${VAR}` is looked up. */
  environment: Environment;
}

export interface ParsedConfig {
  config: Config;
  /** Notes about what is accepted. */
  warnings: readonly Finding[];
}

/**
 * The configuration that `text` states: checked, defaults filled in, relative paths made absolute.
 * @throws ConfigError `CONFIG_INVALID` with every finding.
 */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  const { document, findings } = examine(text, options);
  if (document === undefined || findings.some((finding) => finding.severity === "error"))
    throw ConfigError.invalid(findings);
  const directory = options.directory ?? dirname(options.file);
  const config = withDefaults(document, configSchema, directory) as Config;
  settle(config, document, directory);
  return { config, warnings: findings };
}

/** Everything wrong with or notable in `text`, in the order of its lines. */
export function checkConfig(text: string, options: ParseOptions): Finding[] {
  return examine(text, options).findings;
}

interface Examined {
  document: YamlNode | undefined;
  findings: Finding[];
}

function examine(text: string, { file, environment }: ParseOptions): Examined {
  const at = (offset: number): { file: string; line: number; column: number } => ({
    file,
    ...positionAt(text, offset),
  });
  try {
    const document = interpolate(parseYaml(text), environment);
    const violations = checkSchema(document, configSchema).map(
      ({ offset, ...violation }): Finding => ({ severity: "error", ...at(offset), ...violation }),
    );
    // Rules between keys rely on each key's own validity.
    const ruled = violations.length > 0 ? [] : rules.flatMap((rule) => rule(document));
    const findings = ruled.map(({ offset, ...finding }): Finding => ({
      ...at(offset),
      ...finding,
    }));
    return { document, findings: [...violations, ...findings].toSorted(byPlace) };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { message, offset, expected } = error;
    const finding = { severity: "error" as const, ...at(offset), path: "", message };
    return {
      document: undefined,
      findings: [expected === undefined ? finding : { ...finding, expected }],
    };
  }
}

const byPlace = (a: Finding, b: Finding): number => a.line - b.line || a.column - b.column;

/** Plain data of a valid document, with the schema's defaults where a key is missing. */
function withDefaults(node: YamlNode | undefined, schema: Schema, folder: string): unknown {
  if (schema.properties === undefined && schema.additionalProperties === undefined)
    return node === undefined ? schema.default : plainData(node);
  if (node !== undefined && node.kind !== "map") return plainData(node);
  if (node === undefined && schema.default === undefined) return undefined;
  const result: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const value = withDefaults(node?.entries.get(key)?.value, property, folder);
    if (value !== undefined) result[key] = value;
  }
  for (const [key, entry] of node?.entries ?? []) {
    if (Object.hasOwn(schema.properties ?? {}, key)) continue;
    // Never by assignment: a key may be called __proto__.
    const value = plainData(entry.value);
    Object.defineProperty(result, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}

/** Decides what depends on other keys or on where the file stands. */
function settle(config: Config, document: YamlNode, folder: string): void {
  const store = config.vector_store.config;
  store.mode = modeOf(document);
  if (store.mode === "managed") {
    const directory = store.persist_directory ?? store.path ?? ".holdfast/chroma";
    store.persist_directory = resolve(folder, directory);
    delete store.path;
  }
  const references = [
    store.token,
    ...Object.values(store.headers ?? {}),
    ...Object.values(config.embedder.options ?? {}),
  ];
  for (const reference of references)
    if (typeof reference === "object" && reference.file !== undefined)
      reference.file = resolve(folder, reference.file);
}
