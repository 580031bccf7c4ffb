import { checkSchema, type Finding, YamlError, type YamlNode } from "@holdfast/document";
import { configSchema } from "./config-schema.ts";
import { isOlderLayout } from "./import/older-layout.ts";
import type { Layer } from "./layers/layer.ts";
import { merged } from "./layers/merge.ts";
import { shifted, Sources } from "./layers/sources.ts";
import { entryAt, scalar } from "./rules/entry-at.ts";
import { rules } from "./rules/rules.ts";

const LATEST = Math.max(...configSchema.properties.config_version.enum);

export interface Examined {
  /** What the layers state together; undefined when one of them cannot be read. */
  document: YamlNode | undefined;
  /** What each layer states; its offsets are those of `sources`. */
  documents: { layer: Layer; document: YamlNode }[];
  sources: Sources;
  /** By layer, then line. */
  findings: Finding[];
}

/** Reads layers, the lowest first, and finds everything wrong with them or notable. */
export function examine(layers: readonly Layer[]): Examined {
  const sources = new Sources();
  const documents: Examined["documents"] = [];
  const found: (Omit<Finding, "file" | "line" | "column"> & { offset: number })[] = [];
  for (const layer of layers) {
    const base = sources.add(layer);
    try {
      const document = shifted(layer.read(), base);
      documents.push({ layer, document });
      const other = otherLayout(document);
      if (other !== undefined) {
        found.push({ severity: "error", path: "", ...other });
        continue;
      }
      for (const violation of checkSchema(document, configSchema))
        found.push({ severity: "error", ...violation });
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      const { message, offset, expected } = error;
      const finding = { severity: "error", rule: "syntax", path: "", message } as const;
      found.push({ ...finding, offset: base + offset, ...(expected && { expected }) });
    }
  }
  const readable = documents.length === layers.length;
  const document = readable ? together(documents) : undefined;
  // Rules between keys rely on each key's own validity.
  if (document !== undefined && found.length === 0)
    found.push(...rules.flatMap((rule) => rule(document, sources)));
  const findings = found
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, ...finding }): Finding => ({ ...sources.placeAt(offset), ...finding }));
  return { document, documents, sources, findings };
}

/** One finding for all of its keys: none of them is a slip. */
function otherLayout(
  document: YamlNode,
): (Pick<Finding, "rule" | "message" | "expected"> & { offset: number }) | undefined {
  if (isOlderLayout(document))
    return {
      rule: "older-layout",
      offset: document.offset,
      message: "is a configuration of the older layout",
      expected: "what this prints: holdfast config import FILE",
    };
  const version = entryAt(document, "config_version");
  const stated = scalar(version);
  if (version === undefined || typeof stated !== "number" || stated <= LATEST) return undefined;
  return {
    rule: "newer-layout",
    offset: version.value.offset,
    message: `is a configuration of the layout ${stated}, for a newer Holdfast than this one`,
    expected: `config_version: ${LATEST}, or a newer Holdfast`,
  };
}

function together(documents: Examined["documents"]): YamlNode | undefined {
  const [lowest, ...others] = documents;
  return others.reduce<YamlNode | undefined>(
    (lower, { document }) => lower && merged(lower, document, configSchema),
    lowest?.document,
  );
}
