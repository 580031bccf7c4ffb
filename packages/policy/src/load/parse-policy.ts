import { type Finding, parseYaml, YamlError } from "@holdfast/document";
import type { PolicyRule } from "../rule.ts";
import { findingsBetween, readDocument } from "./read-document.ts";

export interface PolicyTextOptions {
  /** Named in findings. */
  file: string;
  /** Names of the rules elsewhere, to which `chain_policy` may lead. Default: they are unknown. */
  known?: ReadonlySet<string>;
}

export interface PolicyDocument {
  /** In the order written; empty when there is an error among the findings. */
  rules: readonly PolicyRule[];
  /** In the order of lines. */
  findings: readonly Finding[];
}

/** Reads a policy document, YAML or JSON: `rules:` as a map by name or as a list, or one rule. */
export function parsePolicyText(text: string, options: PolicyTextOptions): PolicyDocument {
  const { rules, findings: alone } = readDocument(text, options.file);
  const findings = [...alone, ...findingsBetween(rules, options.known ?? "unknown")].toSorted(
    (a, b) => a.line - b.line || a.column - b.column,
  );
  const valid = findings.every(({ severity }) => severity !== "error");
  return { rules: valid ? rules.map(({ rule }) => rule) : [], findings };
}

/** Everything wrong with or notable in a policy document, in the order of its lines. */
export function checkPolicyText(text: string, options: PolicyTextOptions): readonly Finding[] {
  return parsePolicyText(text, options).findings;
}

/** Whether a text is meant as a policy document, valid or not. */
export function isPolicyText(text: string): boolean {
  try {
    const root = parseYaml(text);
    const keys = ["rules", "conditions", "actions"];
    return root.kind === "map" && keys.some((key) => root.entries.has(key));
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return /^\s*["']?(rules|conditions|actions)["']?\s*:/m.test(text);
  }
}
