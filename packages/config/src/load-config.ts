import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BYTES_MAX, type Finding } from "@holdfast/document";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./config-schema.ts";
import { CONFIG_FILE_NAME, ENVIRONMENTS, isEnvironmentName, originOf } from "./deploy/origin.ts";
import type { Environment } from "./interpolate.ts";
import { parseConfig } from "./parse-config.ts";

export interface LoadOptions {
  /** `--config`. */
  file?: string | undefined;
  /** `--env`. */
  environmentName?: string | undefined;
  environment: Environment;
  /** Where a relative `file` and the search for `holdfast.yaml` start. */
  workingDirectory: string;
  /** Whether `holdfast.yaml` is searched for, upwards. Default true. */
  search?: boolean;
  /** Holds deployments, and the built-in defaults' data when there is no file at all. */
  userDataDirectory: string;
}

/** What decided which configuration is in force. */
export type ConfigSource = "flag" | "HOLDFAST_CONFIG" | "deployment" | "workspace" | "built-in";

export interface LoadedConfig {
  config: Config;
  source: ConfigSource;
  /** The file; undefined for the built-in defaults. */
  file: string | undefined;
  /** The folder from which its relative paths resolve, and beside which state is kept. */
  directory: string;
  warnings: readonly Finding[];
}

/**
 * The configuration in force; first hit wins: `--config`, `HOLDFAST_CONFIG`, the deployment of
 * `--env` or `HOLDFAST_ENV`, the nearest `holdfast.yaml` upwards, built-in defaults.
 * @throws ConfigError `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { file, source } = locate(options);
  if (file === undefined) {
    const directory = options.userDataDirectory;
    const text = "vector_store: { config: { persist_directory: chroma } }";
    const parsed = parseConfig(text, { file: join(directory, "built-in"), environment: {} });
    return { ...parsed, source, file, directory };
  }
  const origin = originOf(file);
  const directory = origin?.directory ?? dirname(file);
  const parsed = parseConfig(read(file), { file, directory, environment: options.environment });
  // Deployed by force: what it was deployed for holds, not what the file says.
  if (origin !== undefined) parsed.config.environment = origin.environment;
  refuseOtherEnvironment(parsed.config, file, options.environmentName);
  return { ...parsed, source, file, directory };
}

function locate(options: LoadOptions): { file: string | undefined; source: ConfigSource } {
  const { environment, workingDirectory, userDataDirectory } = options;
  if (options.file !== undefined)
    return { file: resolve(workingDirectory, options.file), source: "flag" };
  const named = environment["HOLDFAST_CONFIG"];
  if (named) return { file: resolve(workingDirectory, named), source: "HOLDFAST_CONFIG" };
  const deployed = options.environmentName ?? (environment["HOLDFAST_ENV"] || undefined);
  if (deployed !== undefined)
    return { file: deploymentOf(deployed, userDataDirectory), source: "deployment" };
  const nearest = options.search === false ? undefined : findUpwards(workingDirectory);
  if (nearest !== undefined) return { file: nearest, source: "workspace" };
  return { file: undefined, source: "built-in" };
}

/** Another environment's configuration must never be used in its place, so a miss is an error. */
function deploymentOf(name: string, userDataDirectory: string): string {
  const file = join(userDataDirectory, "deployments", name, CONFIG_FILE_NAME);
  if (isEnvironmentName(name) && isFile(file)) return file;
  throw new ConfigError(
    isEnvironmentName(name)
      ? `Nothing is deployed for the environment ${name}`
      : `${name} is not an environment; they are ${ENVIRONMENTS.join(", ")}`,
    {
      code: "CONFIG_NOT_FOUND",
      hint: "Name the file instead: --config FILE. Or leave out --env and unset HOLDFAST_ENV.",
    },
  );
}

function refuseOtherEnvironment(config: Config, file: string, asked: string | undefined): void {
  if (asked === undefined || config.environment === asked) return;
  throw new ConfigError(`${file} is for ${config.environment}, not for ${asked}`, {
    code: "CONFIG_INVALID",
    hint: `Use a file that says environment: ${asked}, or leave out --env.`,
  });
}

function findUpwards(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const file = join(folder, CONFIG_FILE_NAME);
    if (isFile(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}

const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function read(file: string): string {
  try {
    return readStart(file, BYTES_MAX + 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new ConfigError(`There is no configuration file ${file}`, {
        code: "CONFIG_NOT_FOUND",
        hint: "Create one with: holdfast init",
        cause: error,
      });
    throw new ConfigError(`The configuration ${file} cannot be read: ${(error as Error).message}`, {
      code: "CONFIG_UNREADABLE",
      hint: "Make it a file that you can read.",
      cause: error,
    });
  }
}

/** The text of a file up to a bound: it may be a pipe, or a device without end. */
function readStart(file: string, bytesMax: number): string {
  const descriptor = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(bytesMax);
    let length = 0;
    while (length < bytesMax) {
      const got = readSync(descriptor, buffer, length, bytesMax - length, null);
      if (got === 0) break;
      length += got;
    }
    return buffer.toString("utf8", 0, length);
  } finally {
    closeSync(descriptor);
  }
}
