import type { YamlEntry, YamlNode } from "@holdfast/document";

/** What stands at a path such as `alerts.channels[1].url`, if anything does. */
export function entryAt(root: YamlNode, path: string): YamlEntry | undefined {
  let entry: YamlEntry | undefined;
  let node: YamlNode | undefined = root;
  for (const key of path.split(/\.|(?=\[\d+\])/)) {
    entry = node === undefined ? undefined : within(node, key);
    node = entry?.value;
  }
  return entry;
}

function within(node: YamlNode, key: string): YamlEntry | undefined {
  if (node.kind === "map") return node.entries.get(key);
  const item = node.kind === "list" ? node.items[Number(key.slice(1, -1))] : undefined;
  return item && { keyOffset: item.offset, value: item };
}

/** An entry's value, when it is a single one. */
export const scalar = (entry: YamlEntry | undefined): unknown =>
  entry?.value.kind === "scalar" ? entry.value.value : undefined;
