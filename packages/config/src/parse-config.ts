import { dirname } from "node:path";
import type { Finding } from "@holdfast/document";
import { completed } from "./completed.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./config-schema.ts";
import { examine } from "./examine.ts";
import type { Environment } from "./interpolate.ts";
import { fileLayer } from "./layers/file-layer.ts";
import type { Layer } from "./layers/layer.ts";

export interface ParseOptions {
  /** Named in findings. Absolute. */
  file: string;
  /** From where relative paths in the text resolve. Default: the file's folder. */
  directory?: string;
  /** Where `${VAR}` is looked up. */
  environment: Environment;
}

export interface ParsedConfig {
  config: Config;
  /** Notes about what is accepted. */
  warnings: readonly Finding[];
}

/**
 * The configuration that `text` states: checked, defaults filled in, relative paths made absolute.
 * @throws ConfigError `CONFIG_INVALID` with every finding.
 */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  return parseLayers([layerOf(text, options)]);
}

/** Everything wrong with or notable in `text`, in the order of its lines. */
export function checkConfig(text: string, options: ParseOptions): Finding[] {
  return examine([layerOf(text, options)]).findings;
}

/** As {@link parseConfig}, of layers, the lowest first; defaults resolve as that one's paths do. */
export function parseLayers(layers: readonly [Layer, ...Layer[]]): ParsedConfig {
  const { document, findings, sources } = examine(layers);
  if (document === undefined || findings.some((finding) => finding.severity === "error"))
    throw ConfigError.invalid(findings);
  const config = completed(document, (offset) => sources.layerAt(offset).folder, layers[0].folder);
  return { config, warnings: findings };
}

function layerOf(text: string, options: ParseOptions): Layer {
  const { file, environment, directory: folder = dirname(file) } = options;
  return fileLayer(text, { kind: "file", file, folder, environment });
}
