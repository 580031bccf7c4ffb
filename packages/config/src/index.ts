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
export { explainConfig, type KeyExplanation, type Statement } from "./explain-config.ts";
export { generateConfig, type GenerateOptions } from "./generate/generate-config.ts";
export { overlayFileOf } from "./layers/file-layer.ts";
export type { Layer } from "./layers/layer.ts";
export type { LoadOptions } from "./layers/stack.ts";
export { variableOf } from "./layers/value-layers.ts";
export { type LoadedConfig, loadConfig } from "./load-config.ts";
export type { ConfigSource, LocateOptions } from "./locate-config.ts";
export { checkConfig, parseConfig, type ParsedConfig, type ParseOptions } from "./parse-config.ts";
export { readSecret } from "./secret.ts";
export { type Validation, validateConfig, type ValidateOptions } from "./validate-config.ts";
export { readConfigFile } from "./read-config-file.ts";
export {
  type DroppedKey,
  importConfig,
  type ImportedConfig,
  type ImportedKey,
} from "./import/import-config.ts";
