import { type Finding, parseYaml, plainData, positionsIn, type YamlNode } from "@holdfast/document";
import { ConfigError } from "../config-error.ts";
import { configSchema } from "../config-schema.ts";
import { checkConfig } from "../parse-config.ts";
import { isOlderLayout, MAPPINGS, REASONS, TRIGGER_LIMITS } from "./older-layout.ts";

export interface ImportedKey {
  from: string;
  to: string;
  value: unknown;
}

export interface DroppedKey {
  from: string;
  line: number;
  why: string;
}

export interface ImportedConfig {
  /** A configuration of today's layout, as the text of a file; valid. */
  text: string;
  mapped: ImportedKey[];
  /** Everything that has no meaning here, by name. */
  dropped: DroppedKey[];
}

interface OldKey {
  path: string;
  value: unknown;
  line: number;
}

/**
 * Reads a configuration of the older layout, and says of each of its keys what it becomes or why
 * it is dropped. Writes nothing.
 * @throws ConfigError `CONFIG_INVALID` for a text that cannot be read or has another layout.
 */
export function importConfig(text: string, file: string): ImportedConfig {
  const { findings, root } = readOlder(text, file);
  if (root === undefined) throw ConfigError.invalid(findings);
  const old = leavesOf(root, positionsIn(text));
  const mapped: ImportedKey[] = [];
  const dropped: DroppedKey[] = [];
  for (const key of old.toSorted((a, b) => weightOf(a.path) - weightOf(b.path))) {
    const { to, value } = newKeyOf(key, old);
    const why = to === undefined ? reasonOf(key.path) : refusal(to, value, mapped);
    if (why === undefined && to !== undefined) mapped.push({ from: key.path, to, value });
    else dropped.push({ from: key.path, line: key.line, why: why ?? reasonOf(key.path) });
  }
  dropped.sort((a, b) => a.line - b.line);
  return { text: written(mapped), mapped, dropped };
}

function readOlder(text: string, file: string): { findings: Finding[]; root?: YamlNode } {
  const findings = checkConfig(text, { file, environment: {} });
  const syntax = findings.filter(({ rule }) => rule === "syntax");
  if (syntax.length > 0) return { findings: syntax };
  const root = parseYaml(text);
  if (isOlderLayout(root)) return { findings: [], root };
  const message = "has today's layout, or none that is known";
  const expected = "the older layout, with global_enabled, performance, backend …";
  const place = { file, line: 1, column: 1, path: "", message, expected };
  return { findings: [{ severity: "error", rule: "not-older-layout", ...place }] };
}

/** Lists are single values: none of the older layout holds mappings. */
function leavesOf(root: YamlNode, at: ReturnType<typeof positionsIn>, path = ""): OldKey[] {
  if (root.kind !== "map") return [];
  return [...root.entries].flatMap(([key, { keyOffset, value }]) => {
    const own = path === "" ? key : `${path}.${key}`;
    if (value.kind === "map" && value.entries.size > 0) return leavesOf(value, at, own);
    return [{ path: own, value: plainData(value), line: at(keyOffset).line }];
  });
}

function newKeyOf(
  { path, value }: OldKey,
  all: readonly OldKey[],
): { to: string | undefined; value: unknown } {
  const trigger = /^(trigger_policies\.[^.]+)\.([^.]+)$/.exec(path);
  if (trigger !== null) {
    const limit = own(TRIGGER_LIMITS, trigger[2] ?? "");
    const type = all.find((key) => key.path === `${trigger[1]}.trigger_type`)?.value;
    const kind = typeof type === "string" ? type : "workflow";
    return { to: limit && `triggers.limits.${kind}.${limit}`, value };
  }
  const mapping = MAPPINGS.find(({ from }) => from === path);
  const changed = mapping?.value === undefined ? value : mapping.value(value);
  return { to: mapping?.to, value: changed };
}

/** Mapped keys in the order of their mappings, the others after them as they stand. */
function weightOf(path: string): number {
  const at = MAPPINGS.findIndex(({ from }) => from === path);
  return at === -1 ? MAPPINGS.length : at;
}

/** Why a value cannot stand beside those that are mapped already; undefined when it can. */
function refusal(to: string, value: unknown, mapped: readonly ImportedKey[]): string | undefined {
  if (value === undefined) return `has no meaning here with this value; see ${to}`;
  const earlier = mapped.find((other) => other.to === to);
  if (earlier !== undefined && !Array.isArray(value)) return `${earlier.from} counts`;
  const [wrong] = checkConfig(written([{ from: "", to, value }]), {
    file: to,
    environment: {},
  }).filter(({ severity }) => severity === "error");
  if (wrong === undefined) return undefined;
  return `${to} ${wrong.message}${wrong.expected === undefined ? "" : `; expected ${wrong.expected}`}`;
}

function reasonOf(path: string): string {
  const parts = path.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const reason = own(REASONS, parts.slice(0, length).join("."));
    if (reason !== undefined) return reason;
  }
  return "has no counterpart";
}

/** What stands under a key that people have written, which may be called `constructor`. */
const own = (texts: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(texts, key) ? texts[key] : undefined;

/** A mapping, whatever its keys are called, or a value. */
type Tree = Map<string, Tree | { leaf: unknown }>;

/** The keys as a file; lists that lead to one key are joined. */
function written(keys: readonly ImportedKey[]): string {
  const tree: Tree = new Map([["config_version", { leaf: 1 }]]);
  for (const { to, value } of keys) {
    const names = to.split(".");
    const last = names.pop() ?? "";
    let at = tree;
    for (const name of names) at = below(at, name);
    const before = at.get(last);
    const listed = before !== undefined && "leaf" in before && Array.isArray(before.leaf);
    at.set(last, {
      leaf: listed ? [...(before.leaf as unknown[]), ...(value as unknown[])] : value,
    });
  }
  const head = `# yaml-language-server: $schema=${configSchema.$id}\n`;
  return `${head}${linesOf(tree, "").join("\n")}\n`;
}

/** The mapping of that name in another, made where there is none. */
function below(tree: Tree, name: string): Tree {
  const known = tree.get(name);
  if (known instanceof Map) return known;
  const made: Tree = new Map();
  tree.set(name, made);
  return made;
}

function linesOf(tree: Tree, indent: string): string[] {
  return [...tree].flatMap(([key, value]) =>
    value instanceof Map
      ? [`${indent}${key}:`, ...linesOf(value, `${indent}  `)]
      : [`${indent}${key}: ${JSON.stringify(value.leaf)}`],
  );
}
