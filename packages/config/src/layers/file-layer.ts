import { extname } from "node:path";
import { parseYaml, type YamlNode } from "@holdfast/document";
import { type Environment, interpolate } from "../interpolate.ts";
import type { Layer } from "./layer.ts";

export interface FileLayerOptions {
  kind: "file" | "overlay";
  /** Absolute. */
  file: string;
  /** From which its relative paths resolve. */
  folder: string;
  /** Where `${VAR}` is looked up. */
  environment: Environment;
}

export function fileLayer(text: string, options: FileLayerOptions): Layer {
  const { kind, file, folder, environment } = options;
  let document: YamlNode | undefined;
  const read = (): YamlNode => (document ??= interpolate(parseYaml(text), environment));
  return { kind, name: file, text, folder, read };
}

/** The overlay of a file: `holdfast.staging.yaml` beside `holdfast.yaml`. It need not exist. */
export function overlayFileOf(file: string, environmentName: string): string {
  const extension = extname(file);
  const stem = extension === "" ? file : file.slice(0, -extension.length);
  return `${stem}.${environmentName}${extension}`;
}
