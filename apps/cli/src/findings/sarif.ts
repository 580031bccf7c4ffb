import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Finding } from "@holdfast/config";

const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/**
 * Findings as SARIF 2.1.0 (OASIS), which code scanners read. Files below `root` are named relative
 * to it, others by their URL.
 */
export function sarif(findings: readonly Finding[], root: string, version: string): unknown {
  const rules = [...new Set(findings.map(ruleOf))].toSorted();
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "holdfast", version, rules: rules.map((id) => ({ id })) } },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => resultOf(finding, root)),
      },
    ],
  };
}

function resultOf(finding: Finding, root: string): unknown {
  const { severity, file, line, column } = finding;
  return {
    ruleId: ruleOf(finding),
    level: severity,
    message: { text: messageOf(finding) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file, root) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  };
}

function uriOf(file: string, root: string): string {
  const below = relative(root, file);
  return below.startsWith("..") ? pathToFileURL(file).href : encodeURI(below);
}

const ruleOf = ({ rule }: Finding): string => rule ?? "invalid";

/** What is wrong, what was expected and what was meant, without the place. */
export function messageOf({ path, message, expected, suggestion }: Finding): string {
  const extra = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(suggestion === undefined ? [] : [`did you mean ${suggestion}?`]),
  ];
  const told = path === "" ? message : `${path}: ${message}`;
  return extra.length === 0 ? told : `${told} (${extra.join("; ")})`;
}
