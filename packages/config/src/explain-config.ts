import { type Finding, plainData, type Schema, suggest } from "@holdfast/document";
import { ConfigError } from "./config-error.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { examine, type Examined } from "./examine.ts";
import type { Layer } from "./layers/layer.ts";
import { schemaOf } from "./layers/merge.ts";
import { type LoadOptions, stackOf } from "./layers/stack.ts";
import { variableOf } from "./layers/value-layers.ts";
import { loadConfig } from "./load-config.ts";
import { entryAt } from "./rules/entry-at.ts";
import { shownValue } from "./secret.ts";

/** What one layer states for a key. */
export interface Statement {
  layer: Layer["kind"];
  /** A file, a variable or a flag. */
  file: string;
  line: number;
  column: number;
  value: unknown;
}

/** Why one key has the value it has. Values as they are shown, never a secret. */
export interface KeyExplanation {
  path: string;
  /** In force: complete, paths absolute; undefined when there is none. */
  value: unknown;
  /**
   * What decided it: "default" when nothing states it, "selection" for an environment that `--env`,
   * `HOLDFAST_ENV` or a deployment selected.
   */
  layer: Layer["kind"] | "default" | "selection";
  /** Every layer that states it, the one that won first. */
  statements: Statement[];
  default?: unknown;
  description?: string;
  /** The variable that would state it. */
  variable: string;
}

/**
 * Says of a key, or of every key of a section, what its value is and which layer decided it.
 * @throws ConfigError `CONFIG_KEY_UNKNOWN` for a path that is no key, and what `loadConfig` throws.
 */
export function explainConfig(path: string, options: LoadOptions): KeyExplanation[] {
  const schema = schemaAt(path);
  // Before anything is explained, it must be in force.
  const { config } = loadConfig(options);
  const examined = examine(stackOf(options).layers);
  return leaves(schema, path, valueAt(config, path)).map((leaf) => explain(leaf, config, examined));
}

interface LeafKey {
  path: string;
  schema: Schema;
}

function schemaAt(path: string): Schema {
  const names = path === "" ? [] : path.split(".");
  const schema = names.reduce<Schema | undefined>(schemaOf, configSchema);
  if (schema !== undefined) return schema;
  const known = leaves(configSchema, "", {}).map((leaf) => leaf.path);
  const meant = suggest(path, known);
  throw new ConfigError(`${path} is not a key of the configuration`, {
    code: "CONFIG_KEY_UNKNOWN",
    hint:
      meant === undefined
        ? "List them with: holdfast config explain"
        : `Did you mean: holdfast config explain ${meant}`,
  });
}

/** The keys under one: those that the schema names, and under names of one's own those in force. */
function leaves(schema: Schema, path: string, value: unknown): LeafKey[] {
  const single = schema.maxProperties === 1;
  const own = schema.additionalProperties;
  if (single || (schema.properties === undefined && typeof own !== "object"))
    return [{ path, schema }];
  const names = new Set(Object.keys(schema.properties ?? {}));
  if (typeof own === "object" && typeof value === "object" && value !== null)
    for (const name of Object.keys(value)) names.add(name);
  if (names.size === 0) return [{ path, schema }];
  return [...names].flatMap((name) =>
    leaves(
      schemaOf(schema, name) ?? {},
      path === "" ? name : `${path}.${name}`,
      (value as Record<string, unknown> | undefined)?.[name],
    ),
  );
}

function explain({ path, schema }: LeafKey, config: Config, examined: Examined): KeyExplanation {
  const { documents, sources } = examined;
  const statements = documents.toReversed().flatMap(({ layer, document }): Statement[] => {
    const entry = entryAt(document, path);
    if (entry === undefined) return [];
    const { file, line, column }: Pick<Finding, "file" | "line" | "column"> = sources.placeAt(
      entry.keyOffset,
    );
    return [
      { layer: layer.kind, file, line, column, value: shownValue(path, plainData(entry.value)) },
    ];
  });
  const value = valueAt(config, path);
  const selected = path === "environment" && value !== (statements[0]?.value ?? schema.default);
  return {
    path,
    value: shownValue(path, value),
    layer: selected ? "selection" : (statements[0]?.layer ?? "default"),
    statements,
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema.description === undefined ? {} : { description: schema.description }),
    variable: variableOf(path),
  };
}

function valueAt(config: unknown, path: string): unknown {
  if (path === "") return config;
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      config,
    );
}
