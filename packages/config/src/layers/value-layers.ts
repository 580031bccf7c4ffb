import { parseYaml, type Finding, type Schema, suggest, type YamlNode } from "@holdfast/document";
import { ConfigError } from "../config-error.ts";
import { configSchema } from "../config-schema.ts";
import type { Environment } from "../interpolate.ts";
import type { Layer } from "./layer.ts";
import { schemaOf } from "./merge.ts";

const PREFIX = "HOLDFAST_";

/** The variable that states a key: `outbox.wait` is `HOLDFAST_OUTBOX_WAIT`. */
export function variableOf(path: string): string {
  return PREFIX + path.replaceAll(".", "_").toUpperCase();
}

/**
 * A layer for each variable that names a key; a variable that is empty is not set. Values are
 * written as in the file: `30s`, `true`, `{env: TOKEN}`.
 */
export function variableLayers(environment: Environment, folder: string): Layer[] {
  return ours(environment).flatMap(([name, text]) => {
    const path = variables().get(name);
    return path === undefined ? [] : [valueLayer({ kind: "variable", name, text, folder }, path)];
  });
}

/**
 * Variables that begin with a section's name and name no key: a slip that would pass unnoticed.
 * One that a layer speaks of has another purpose.
 */
export function strayVariables(environment: Environment, layers: readonly Layer[]): Finding[] {
  return ours(environment).flatMap(([name]) => {
    const paths = variables();
    if (paths.has(name)) return [];
    const sections = Object.keys(configSchema.properties).map((key) => `${variableOf(key)}_`);
    if (!sections.some((section) => name.startsWith(section))) return [];
    if (layers.some((layer) => layer.text.includes(name))) return [];
    const suggestion = suggest(name, [...paths.keys()]);
    const finding: Finding = {
      severity: "warning",
      rule: "unknown-variable",
      file: name,
      line: 1,
      column: 1,
      path: "",
      message: "is set and names no key of the configuration",
    };
    return [suggestion === undefined ? finding : { ...finding, suggestion }];
  });
}

/**
 * A layer for each `path=value`, as flags give them.
 * @throws ConfigError `CONFIG_INVALID` for a path that is no key.
 */
export function flagLayers(settings: readonly string[], folder: string): Layer[] {
  return settings.map((setting) => {
    const at = setting.indexOf("=");
    const path = at === -1 ? setting : setting.slice(0, at);
    if (at < 1) throw refused(path, `${JSON.stringify(setting)} is not path=value`, undefined);
    if (schemaAt(path.split(".")) === undefined) {
      const paths = [...variables().values()].map((key) => key.join("."));
      throw refused(path, `${path} is not a known key`, suggest(path, paths));
    }
    const text = setting.slice(at + 1);
    return valueLayer({ kind: "flag", name: `--set ${path}`, text, folder }, path.split("."));
  });
}

function refused(path: string, message: string, meant: string | undefined): ConfigError {
  const hint = meant === undefined ? "--set outbox.wait=5s" : `--set ${meant}=…`;
  const finding = { severity: "error" as const, file: `--set ${path}`, line: 1, column: 1 };
  return new ConfigError(`--set: ${message}`, {
    code: "CONFIG_INVALID",
    hint: meant === undefined ? `Write it as in: ${hint}` : `Did you mean ${hint}?`,
    findings: [{ ...finding, path: "", message }],
  });
}

function valueLayer(layer: Omit<Layer, "read">, path: readonly string[]): Layer {
  const read = (): YamlNode =>
    path.reduceRight<YamlNode>(
      (value, key) => ({
        kind: "map",
        offset: 0,
        entries: new Map([[key, { keyOffset: 0, value }]]),
      }),
      valueNode(layer.text, schemaAt(path)),
    );
  return { ...layer, read };
}

/** What is text is taken as it stands; everything else is read as in the file. */
function valueNode(text: string, schema: Schema | undefined): YamlNode {
  if (schema?.type === "string" || text.trim() === "")
    return { kind: "scalar", offset: 0, value: text, plain: false };
  return parseYaml(text);
}

function schemaAt(path: readonly string[]): Schema | undefined {
  return path.reduce<Schema | undefined>(schemaOf, configSchema);
}

/** The variables that may be meant for us and are set; in most environments none. */
function ours(environment: Environment): [name: string, text: string][] {
  return Object.entries(environment).flatMap(([name, text = ""]) =>
    name.startsWith(PREFIX) && text !== "" ? [[name, text]] : [],
  );
}

/** The path of each variable's key: of every key that the schema names, sections included. */
function variables(): ReadonlyMap<string, readonly string[]> {
  return (known ??= pathsByVariable());
}

let known: ReadonlyMap<string, readonly string[]> | undefined;

function pathsByVariable(): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (schema: Schema, path: readonly string[]): void => {
    if (path.length > 0) found.set(variableOf(path.join(".")), path);
    // A secret is one value.
    if (schema.maxProperties === 1) return;
    for (const [key, property] of Object.entries(schema.properties ?? {}))
      visit(property, [...path, key]);
  };
  visit(configSchema, []);
  return found;
}
