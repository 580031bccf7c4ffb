import { type Finding, positionAt, type SchemaViolation } from "@holdfast/document";

/** What a schema finds wrong with a text, with the places where. */
export function violationFindings(
  violations: readonly SchemaViolation[],
  text: string,
  file: string,
): Finding[] {
  return violations.map(({ offset, ...rest }) => ({
    severity: "error",
    file,
    ...positionAt(text, offset),
    ...rest,
  }));
}
