export { checkSchema, type SchemaViolation } from "./check-schema.ts";
export { type Finding, formatFinding } from "./finding.ts";
export type { Schema } from "./schema.ts";
export { type Position, positionAt, positionsIn } from "./source-position.ts";
export { suggest } from "./suggest.ts";
export {
  BYTES_MAX,
  parseYaml,
  plainData,
  plainScalar,
  type Scalar,
  type YamlEntry,
  YamlError,
  type YamlNode,
} from "./yaml-document.ts";
