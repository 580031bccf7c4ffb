import type { YamlNode } from "@holdfast/document";

/** One text that states a part of the configuration. */
export interface Layer {
  /** In the order of their weight: what a later one states wins. */
  readonly kind: "file" | "overlay" | "variable" | "flag";
  /** As findings name it: a file, `HOLDFAST_OUTBOX_WAIT`, `--set outbox.wait`. */
  readonly name: string;
  readonly text: string;
  /** From which its relative paths resolve. Absolute. */
  readonly folder: string;
  /** The text as a document, from the configuration's root. @throws YamlError */
  read(): YamlNode;
}
