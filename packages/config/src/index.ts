export { type Finding, formatFinding, suggest } from "@holdfast/document";
export { ConfigError, type ConfigErrorCode } from "./config-error.ts";
export { type Config, configSchema, type SecretReference } from "./config-schema.ts";
export type { Environment } from "./interpolate.ts";
export {
  CONFIG_FILE_NAME,
  ENVIRONMENTS,
  type EnvironmentName,
  isEnvironmentName,
} from "./deploy/origin.ts";
export {
  type ConfigSource,
  type LoadedConfig,
  loadConfig,
  type LoadOptions,
} from "./load-config.ts";
export { checkConfig, parseConfig, type ParsedConfig, type ParseOptions } from "./parse-config.ts";
export { readSecret } from "./secret.ts";
