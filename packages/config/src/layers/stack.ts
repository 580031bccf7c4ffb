import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { YamlError, type YamlNode } from "@holdfast/document";
import { ConfigError } from "../config-error.ts";
import { ENVIRONMENTS, isEnvironmentName, type Origin, originOf } from "../deploy/origin.ts";
import { type ConfigSource, locateConfig, type LocateOptions } from "../locate-config.ts";
import { isFile, readConfigFile } from "../read-config-file.ts";
import { entryAt, scalar } from "../rules/entry-at.ts";
import { fileLayer, overlayFileOf } from "./file-layer.ts";
import type { Layer } from "./layer.ts";
import { flagLayers, variableLayers } from "./value-layers.ts";

export interface LoadOptions extends LocateOptions {
  /** `--set`: each `path=value`, above every other layer. */
  settings?: readonly string[];
}

/** Every layer of the configuration in force, the lowest first. */
export interface Stack {
  layers: readonly [Layer, ...Layer[]];
  source: ConfigSource;
  /** Undefined for the built-in defaults. */
  file: string | undefined;
  directory: string;
  /** The environment in force, which decided the overlay. */
  environmentName: string;
}

/**
 * @throws ConfigError for what cannot be found or read, and for an environment that there is not.
 * What the layers say is not checked here.
 */
export function stackOf(options: LoadOptions): Stack {
  const { environment, workingDirectory, userDataDirectory, settings = [] } = options;
  const { file, source } = locateConfig(options);
  const above = [
    ...variableLayers(environment, workingDirectory),
    ...flagLayers(settings, workingDirectory),
  ];
  if (file === undefined) {
    const directory = userDataDirectory;
    const layers = [builtIn(directory), ...above] as const;
    const environmentName = environmentOf(layers, undefined, options);
    return { layers, source, file, directory, environmentName };
  }
  const origin = originOf(file);
  const directory = origin?.directory ?? dirname(file);
  const place = { folder: directory, environment };
  const base = fileLayer(readConfigFile(file), { kind: "file", file, ...place });
  const environmentName = environmentOf([base, ...above], origin, options);
  // What was deployed beside a file lies beside its content, not beside the link to it.
  const beside = origin === undefined ? file : realpathSync(file);
  const overlay = overlayOf(beside, environmentName, place);
  const layers = [base, ...overlay, ...above] as const;
  return { layers, source, file, directory, environmentName };
}

function builtIn(folder: string): Layer {
  const text = "vector_store: { config: { persist_directory: chroma } }";
  const file = join(folder, "built-in");
  return fileLayer(text, { kind: "file", file, folder, environment: {} });
}

/** The overlay of a file for an environment, when there is one. */
export function overlayOf(
  file: string,
  environmentName: string,
  place: { folder: string; environment: LoadOptions["environment"] },
): Layer[] {
  const overlay = overlayFileOf(file, environmentName);
  if (!isEnvironmentName(environmentName) || !isFile(overlay)) return [];
  const layer = fileLayer(readConfigFile(overlay), { kind: "overlay", file: overlay, ...place });
  const stated = statedIn(layer);
  if (stated === undefined || stated === environmentName) return [layer];
  throw new ConfigError(`${overlay} is for ${environmentName} by its name, and says ${stated}`, {
    code: "CONFIG_INVALID",
    hint: `Remove the line environment: from ${overlay}, or rename the file.`,
  });
}

/**
 * What the file was deployed for, by force perhaps another environment than it states; else what
 * the highest layer states; else what was asked for.
 */
function environmentOf(
  layers: readonly Layer[],
  origin: Origin | undefined,
  options: LoadOptions,
): string {
  if (origin !== undefined) return origin.environment;
  const stated = layers.map(statedIn).findLast((name) => name !== undefined);
  if (stated !== undefined) return stated;
  const asked = options.environmentName ?? (options.environment["HOLDFAST_ENV"] || "development");
  if (isEnvironmentName(asked)) return asked;
  throw new ConfigError(`${asked} is not an environment; they are ${ENVIRONMENTS.join(", ")}`, {
    code: "CONFIG_INVALID",
    hint: "Name one of them, or leave out --env and unset HOLDFAST_ENV.",
  });
}

function statedIn(layer: Layer): string | undefined {
  const document = readable(layer);
  const stated = document && scalar(entryAt(document, "environment"));
  return typeof stated === "string" ? stated : undefined;
}

/** What cannot be read is reported by whoever examines the layers. */
function readable(layer: Layer): YamlNode | undefined {
  try {
    return layer.read();
  } catch (error) {
    if (error instanceof YamlError) return undefined;
    throw error;
  }
}
