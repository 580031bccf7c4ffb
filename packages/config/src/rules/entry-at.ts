import type { YamlEntry, YamlNode } from "@holdfast/document";

/** What stands at a dotted path, if anything does. */
export function entryAt(root: YamlNode, path: string): YamlEntry | undefined {
  let entry: YamlEntry | undefined;
  let node: YamlNode | undefined = root;
  for (const key of path.split(".")) {
    entry = node?.kind === "map" ? node.entries.get(key) : undefined;
    node = entry?.value;
  }
  return entry;
}

/** An entry's value, when it is a single one. */
export const scalar = (entry: YamlEntry | undefined): unknown =>
  entry?.value.kind === "scalar" ? entry.value.value : undefined;
