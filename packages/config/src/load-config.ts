import type { Finding } from "@holdfast/document";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./config-schema.ts";
import { type LoadOptions, stackOf } from "./layers/stack.ts";
import { strayVariables } from "./layers/value-layers.ts";
import type { ConfigSource } from "./locate-config.ts";
import { parseLayers } from "./parse-config.ts";

export interface LoadedConfig {
  config: Config;
  source: ConfigSource;
  /** The file; undefined for the built-in defaults. */
  file: string | undefined;
  /** The folder from which its relative paths resolve, and beside which state is kept. */
  directory: string;
  warnings: readonly Finding[];
  /** What loads the same in another process, besides the file and this one's variables. */
  again: { settings: readonly string[]; workingDirectory: string };
}

/**
 * The configuration in force: the file that `locateConfig` finds, over it the overlay of its
 * environment, then variables, then `settings`.
 * @throws ConfigError `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const stack = stackOf(options);
  const { source, file, directory, environmentName } = stack;
  const { config, warnings } = parseLayers(stack.layers);
  config.environment = environmentName as Config["environment"];
  refuseOtherEnvironment(config, file ?? "", options.environmentName);
  const stray = strayVariables(options.environment, stack.layers);
  const settings = [...(options.settings ?? []), `environment=${config.environment}`];
  const again = { settings, workingDirectory: options.workingDirectory };
  return { config, source, file, directory, warnings: [...warnings, ...stray], again };
}

function refuseOtherEnvironment(config: Config, file: string, asked: string | undefined): void {
  if (asked === undefined || config.environment === asked) return;
  throw new ConfigError(`${file} is for ${config.environment}, not for ${asked}`, {
    code: "CONFIG_INVALID",
    hint: `Use a file that says environment: ${asked}, or leave out --env.`,
  });
}
