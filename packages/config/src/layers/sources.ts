import { type Position, positionsIn, type YamlNode } from "@holdfast/document";
import type { Layer } from "./layer.ts";

interface Entry {
  layer: Layer;
  base: number;
  position: (offset: number) => Position;
}

/**
 * One range of offsets over the texts of all layers, as if they stood one after the other, so that
 * every node of their merged document still says where it was written.
 */
export class Sources {
  readonly #entries: Entry[] = [];
  #end = 0;

  /** The layer's own offsets are valid here once `base` is added to them. */
  add(layer: Layer): number {
    const base = this.#end;
    this.#entries.push({ layer, base, position: positionsIn(layer.text) });
    this.#end += layer.text.length + 1;
    return base;
  }

  layerAt(offset: number): Layer {
    return this.#entryAt(offset).layer;
  }

  placeAt(offset: number): { file: string } & Position {
    const { layer, base, position } = this.#entryAt(offset);
    return { file: layer.name, ...position(offset - base) };
  }

  #entryAt(offset: number): Entry {
    const entry = this.#entries.findLast(({ base }) => base <= offset);
    if (entry === undefined) throw new TypeError("There is no layer at this offset");
    return entry;
  }
}

/** The document with all of its offsets moved. */
export function shifted(node: YamlNode, by: number): YamlNode {
  if (by === 0) return node;
  const offset = node.offset + by;
  if (node.kind === "scalar") return { ...node, offset };
  if (node.kind === "list")
    return { ...node, offset, items: node.items.map((item) => shifted(item, by)) };
  const entries = [...node.entries].map(
    ([key, { keyOffset, value }]) =>
      [key, { keyOffset: keyOffset + by, value: shifted(value, by) }] as const,
  );
  return { ...node, offset, entries: new Map(entries) };
}
