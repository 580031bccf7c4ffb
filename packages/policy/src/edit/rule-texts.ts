import { isDeepStrictEqual } from "node:util";
import { parseYaml, type YamlNode } from "@holdfast/document";
import { readDocument } from "../load/read-document.ts";
import type { PolicyRule } from "../rule.ts";

/** One rule as a document of its own. */
export interface RuleText {
  rule: PolicyRule;
  text: string;
  /** `json` where its own text could not be cut out, and it is written anew. */
  format: "yaml" | "json";
  /** Whether its comments are lost by that. */
  commentsLost: boolean;
}

/**
 * A document's rules, each as a document of its own; none when it is not valid. What is written in block style is cut
 * out as it is, comments included: those above a rule go with it, those above `rules:` with each.
 */
export function splitPolicyText(text: string): RuleText[] {
  const rules = rulesOf(text);
  if (rules === undefined) return [];
  const parts = partsOf(text);
  const [only] = rules;
  if (parts === undefined && only !== undefined && isAlone(text))
    return [{ rule: only, text: ended(text), format: "yaml", commentsLost: false }];
  return rules.map((rule, index) => {
    const cut = parts && `${parts.head}${parts.rules[index] ?? ""}`;
    if (cut !== undefined && holdsJust(cut, [rule]))
      return { rule, text: ended(cut), format: "yaml", commentsLost: false };
    const written = `${JSON.stringify(rule, null, 2)}\n`;
    return { rule, text: written, format: "json", commentsLost: /(^|\s)#/.test(text) };
  });
}

/**
 * A document without one of its rules, all else as it was: empty when it holds no other. Undefined
 * when the rule's text cannot be told from the rest, or the document is not valid.
 */
export function withoutRule(text: string, name: string): string | undefined {
  const rules = rulesOf(text);
  if (rules === undefined) return undefined;
  const rest = rules.filter((rule) => rule.name !== name);
  if (rest.length === 0) return "";
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  const kept = parts.rules.filter((_, index) => rules[index]?.name !== name);
  const shorter = `${parts.head}${kept.join("")}`;
  return holdsJust(shorter, rest) ? shorter : undefined;
}

/** Whether the document is one rule, not a collection of them. */
function isAlone(text: string): boolean {
  const root = parseYaml(text);
  return root.kind === "map" && !root.entries.has("rules");
}

/** What stands above the first rule, and each rule's lines; undefined unless in block style. */
function partsOf(text: string): { head: string; rules: string[] } | undefined {
  const root = parseYaml(text);
  const rules = root.kind === "map" ? root.entries.get("rules")?.value : undefined;
  if (rules === undefined || rules.kind === "scalar" || "{[".includes(text[rules.offset] ?? "{"))
    return undefined;
  const lines = text.split(/(?<=\n)/);
  const starts = startsOf(rules, text).map((offset) => firstLineOf(lines, offset));
  const head = lines.slice(0, starts[0]).join("");
  const parts = starts.map((start, index) => lines.slice(start, starts[index + 1]).join(""));
  return { head, rules: parts };
}

function startsOf(rules: Exclude<YamlNode, { kind: "scalar" }>, text: string): number[] {
  if (rules.kind === "map") return [...rules.entries.values()].map(({ keyOffset }) => keyOffset);
  // An item's own offset is behind its dash, and may be on the next line.
  return rules.items.map(({ offset }) => text.lastIndexOf("-", offset - 1));
}

/** The first of the comments and blank lines above the line at an offset, else that line. */
function firstLineOf(lines: readonly string[], offset: number): number {
  let [line, passed] = [0, 0];
  while (line < lines.length && passed + (lines[line]?.length ?? 0) <= offset) {
    passed += lines[line]?.length ?? 0;
    line += 1;
  }
  while (line > 0 && /^\s*(#.*)?$/.test((lines[line - 1] ?? "").trimEnd())) line -= 1;
  return line;
}

function holdsJust(text: string, rules: readonly PolicyRule[]): boolean {
  return isDeepStrictEqual(rulesOf(text), rules);
}

/** A document's rules, wherever their chains may lead; undefined when it is not valid. */
function rulesOf(text: string): PolicyRule[] | undefined {
  const { rules, findings } = readDocument(text, "");
  if (findings.some(({ severity }) => severity === "error")) return undefined;
  return rules.map(({ rule }) => rule);
}

const ended = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);
