import { dirname, join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import { CONFIG_FILE_NAME, ENVIRONMENTS, isEnvironmentName } from "./deploy/origin.ts";
import type { Environment } from "./interpolate.ts";
import { isFile } from "./read-config-file.ts";

export interface LocateOptions {
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

/**
 * The file in force; first hit wins: `--config`, `HOLDFAST_CONFIG`, the deployment of `--env` or
 * `HOLDFAST_ENV`, the nearest `holdfast.yaml` upwards; undefined for the built-in defaults.
 * @throws ConfigError `CONFIG_NOT_FOUND` when nothing is deployed for the environment named.
 */
export function locateConfig(options: LocateOptions): {
  file: string | undefined;
  source: ConfigSource;
} {
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

function findUpwards(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const file = join(folder, CONFIG_FILE_NAME);
    if (isFile(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}
