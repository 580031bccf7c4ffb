import type { YamlNode } from "@holdfast/document";
import { entryAt, scalar } from "./entry-at.ts";
import type { Rule, RuleFinding } from "./rule.ts";

export const policyRules: readonly Rule[] = [knownTimezone];

function knownTimezone(root: YamlNode): RuleFinding[] {
  const path = "policies.timezone";
  const timezone = entryAt(root, path);
  if (timezone === undefined || isTimezone(String(scalar(timezone)))) return [];
  return [
    {
      severity: "error",
      rule: "known-timezone",
      offset: timezone.value.offset,
      path,
      message: `${String(scalar(timezone))} is not known`,
      expected: "an IANA name, as Europe/Berlin",
    },
  ];
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
