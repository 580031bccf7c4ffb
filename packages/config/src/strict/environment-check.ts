import type { Config } from "../config-schema.ts";
import type { Environment } from "../interpolate.ts";

/** What a configuration is compared with: this machine, and what it can reach. */
export interface CheckedConfig {
  config: Config;
  environment: Environment;
}

export interface EnvironmentFinding {
  rule: string;
  /** Dotted path of the key that it concerns. */
  path: string;
  message: string;
  expected: string;
}

/** Looks at one thing that a configuration names. Changes nothing, and ends within seconds. */
export type EnvironmentCheck = (
  checked: CheckedConfig,
) => EnvironmentFinding[] | Promise<EnvironmentFinding[]>;
