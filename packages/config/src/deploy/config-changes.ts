import { parseYaml, plainData, type YamlNode } from "@holdfast/document";
import { configSchema } from "../config-schema.ts";
import { shownValue } from "../secret.ts";
import type { DeployedContent } from "./deployment-content.ts";

/** One key that two configurations state differently. Values as they are shown, never a secret. */
export interface ConfigChange {
  path: string;
  /** Undefined when the key has no value. */
  before: string | undefined;
  after: string | undefined;
  /** What a rollback would not bring back. */
  irreversible?: string;
}

/**
 * What `after` changes, key by key. Variables are compared and shown as written, never their
 * content; a key that is not stated counts with its default.
 */
export function changesBetween(
  before: DeployedContent | undefined,
  after: DeployedContent,
): ConfigChange[] {
  const old = before === undefined ? new Map<string, Leaf>() : leavesOf(before);
  const fresh = leavesOf(after);
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].toSorted();
  const changes = paths.flatMap((path): ConfigChange[] => {
    const left = before === undefined ? undefined : (old.get(path) ?? defaultOf(path));
    const right = fresh.get(path) ?? defaultOf(path);
    if (left?.value === right?.value) return [];
    const change = { path, before: left?.shown, after: right?.shown };
    const irreversible = before === undefined ? undefined : irreversibleOf(path);
    return [irreversible === undefined ? change : { ...change, irreversible }];
  });
  return [...movedFrom(before, after), ...changes];
}

function movedFrom(before: DeployedContent | undefined, after: DeployedContent): ConfigChange[] {
  const from = before?.origin.directory;
  const to = after.origin.directory;
  if (from === undefined || from === to) return [];
  const irreversible = STAYS;
  return [{ path: "(folder of relative paths)", before: from, after: to, irreversible }];
}

const STAYS = "memories that are written meanwhile stay where it leads";

/** Of what happens under a key's new value, what stays after a rollback. The first match counts. */
const IRREVERSIBLE: readonly (readonly [RegExp, string])[] = [
  [
    /^vector_store\.config\.(mode|collection_name|persist_directory|path|host|port|tenant|database)$/,
    STAYS,
  ],
  [/^vector_store\.config\.allow_reset$/, "what a client resets meanwhile is gone"],
  [/^embedder\./, "memories that are embedded meanwhile keep the new model's vectors"],
  [/^outbox\.kept_/, "kept writes beyond the new bound are dropped"],
  [/^lifecycle\./, "memories that it lets expire are gone"],
  [/^backup\.keep_/, "backups that it prunes are gone"],
];

function irreversibleOf(path: string): string | undefined {
  return IRREVERSIBLE.find(([pattern]) => pattern.test(path))?.[1];
}

interface Leaf {
  /** For comparing. */
  value: string;
  /** For people. */
  shown: string;
}

/** Everything that the files state; a later file's keys win. */
function leavesOf({ files }: DeployedContent): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  for (const text of Object.values(files)) collect(parseYaml(text), "", leaves);
  return leaves;
}

function collect(node: YamlNode, path: string, leaves: Map<string, Leaf>): void {
  if (node.kind !== "map" || isReference(node)) {
    leaves.set(path, leafOf(path, plainData(node)));
    return;
  }
  for (const [key, { value }] of node.entries)
    collect(value, path === "" ? key : `${path}.${key}`, leaves);
}

/** `{env: NAME}` or `{file: PATH}`: one value, and itself no secret. */
function isReference(node: Extract<YamlNode, { kind: "map" }>): boolean {
  const [key, more] = [...node.entries.keys()];
  return more === undefined && (key === "env" || key === "file");
}

function leafOf(path: string, value: unknown): Leaf {
  const shown = shownValue(path, value);
  return {
    value: JSON.stringify(value),
    shown: typeof shown === "string" ? shown : JSON.stringify(shown),
  };
}

function defaultOf(path: string): Leaf | undefined {
  let schema: { properties?: object; default?: unknown } | undefined = configSchema;
  for (const key of path.split(".")) {
    const properties: object = schema?.properties ?? {};
    schema = Object.hasOwn(properties, key)
      ? (properties as Record<string, { properties?: object; default?: unknown }>)[key]
      : undefined;
  }
  if (schema?.default === undefined || schema.properties !== undefined) return undefined;
  const leaf = leafOf(path, schema.default);
  return { ...leaf, shown: `${leaf.shown} (default)` };
}
