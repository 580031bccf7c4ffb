import { dirname } from "node:path";
import type { Finding, YamlNode } from "@holdfast/document";
import { completed } from "./completed.ts";
import type { Config } from "./config-schema.ts";
import { isEnvironmentName } from "./deploy/origin.ts";
import { examine } from "./examine.ts";
import type { Environment } from "./interpolate.ts";
import { fileLayer } from "./layers/file-layer.ts";
import type { Layer } from "./layers/layer.ts";
import type { Sources } from "./layers/sources.ts";
import { overlayOf } from "./layers/stack.ts";
import { entryAt, scalar } from "./rules/entry-at.ts";
import { commandsAreThere } from "./strict/commands.ts";
import type { CheckedConfig, EnvironmentCheck } from "./strict/environment-check.ts";
import { disksHaveRoom, foldersAreWritable } from "./strict/folders.ts";
import { secretsAreThere } from "./strict/secrets.ts";
import { serverIsReachable } from "./strict/server.ts";

export interface ValidateOptions {
  /** Absolute. */
  file: string;
  environment: Environment;
  /** Whether the machine and what it can reach are looked at too. Default false. */
  strict?: boolean;
}

export interface Validation {
  findings: Finding[];
  /** The texts that findings speak of, by file. */
  texts: ReadonlyMap<string, string>;
  /** What the file and its overlay state, complete; undefined with errors in them. */
  config: Config | undefined;
}

const CHECKS: readonly EnvironmentCheck[] = [
  foldersAreWritable,
  disksHaveRoom,
  secretsAreThere,
  commandsAreThere,
  serverIsReachable,
];

/**
 * Everything wrong with or notable in a configuration file and the overlay of its environment:
 * syntax, schema, rules between keys, and with `strict` whether what it names is there.
 */
export async function validateConfig(text: string, options: ValidateOptions): Promise<Validation> {
  const { file, environment, strict = false } = options;
  const place = { folder: dirname(file), environment };
  const base = fileLayer(text, { kind: "file", file, ...place });
  const alone = examine([base]);
  const stated = alone.document && scalar(entryAt(alone.document, "environment"));
  const name = typeof stated === "string" && isEnvironmentName(stated) ? stated : "development";
  const layers: [Layer, ...Layer[]] = [base, ...overlayOf(file, name, place)];
  const examined = layers.length === 1 ? alone : examine(layers);
  const { findings } = examined;
  const texts = new Map(layers.map((layer) => [layer.name, layer.text]));
  const { document, sources } = examined;
  if (document === undefined || findings.some(({ severity }) => severity === "error"))
    return { findings, texts, config: undefined };
  const config = completed(document, (offset) => sources.layerAt(offset).folder, base.folder);
  const found = strict ? await environmentFindings(document, sources, { config, environment }) : [];
  return { findings: [...findings, ...found], texts, config };
}

async function environmentFindings(
  document: YamlNode,
  sources: Sources,
  checked: CheckedConfig,
): Promise<Finding[]> {
  const found = await Promise.all(CHECKS.map(async (check) => check(checked)));
  return found
    .flat()
    .map((finding) => ({ finding, offset: entryAt(document, finding.path)?.value.offset ?? 0 }))
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ finding, offset }) => ({ severity: "error", ...sources.placeAt(offset), ...finding }));
}
