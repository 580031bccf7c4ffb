import {
  checkSchema,
  type Finding,
  parseYaml,
  plainData,
  positionsIn,
  type Schema,
  YamlError,
  type YamlNode,
} from "@holdfast/document";
import { type RuleFault, ruleFaults } from "../check/rule-faults.ts";
import { rulesetFaults } from "../check/ruleset-faults.ts";
import type { PolicyRule } from "../rule.ts";
import { policySchema } from "../schema/policy-schema.ts";

/** A rule that stands in a file. */
export interface WrittenRule {
  rule: PolicyRule;
  /** The finding of a fault of it. */
  findingOf: (fault: RuleFault) => Finding;
}

export interface ReadDocument {
  /** In the order written; none when what is written has not the shape of rules. */
  rules: readonly WrittenRule[];
  findings: readonly Finding[];
}

type MapNode = Extract<YamlNode, { kind: "map" }>;
type Located = Omit<Finding, "file" | "line" | "column"> & { offset: number };

/** A document's rules, and what is wrong with each of them alone. */
export function readDocument(text: string, file: string): ReadDocument {
  const positionOf = positionsIn(text);
  const at = ({ offset, ...finding }: Located): Finding => ({
    file,
    ...positionOf(offset),
    ...finding,
  });
  const { root, violations } = shapeOf(text);
  if (root?.kind !== "map" || violations.length > 0)
    return { rules: [], findings: violations.map(at) };
  const found: Located[] = [];
  const rules = ruleNodes(root).map((node): WrittenRule => {
    const rule = ruleOf(node, found);
    const findingOf = (fault: RuleFault): Finding => at(locate(fault, node));
    return { rule, findingOf };
  });
  if (rules.length === 0)
    found.push({
      severity: "warning",
      offset: root.offset,
      path: "rules",
      message: "holds no rule",
    });
  const faults = rules.flatMap(({ rule, findingOf }) => ruleFaults(rule).map(findingOf));
  return { rules, findings: [...found.map(at), ...faults] };
}

/** What is wrong between rules, of one document or of several. */
export function findingsBetween(
  rules: readonly WrittenRule[],
  known?: ReadonlySet<string> | "unknown",
): Finding[] {
  const faults = rulesetFaults(
    rules.map(({ rule }) => rule),
    known,
  );
  return faults.flatMap(({ rule, fault }) => rules[rule]?.findingOf(fault) ?? []);
}

function shapeOf(text: string): { root: YamlNode | undefined; violations: Located[] } {
  try {
    const root = parseYaml(text);
    const violations = checkSchema(root, schemaFor(root));
    return { root, violations: violations.map((each) => ({ severity: "error", ...each })) };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { message, offset, expected } = error;
    const violation: Located = { severity: "error", offset, path: "", message };
    if (expected !== undefined) violation.expected = expected;
    return { root: undefined, violations: [violation] };
  }
}

/** One rule is known by what only a rule has; anything else should have `rules`. */
function schemaFor(root: YamlNode): Schema {
  const isRule =
    root.kind === "map" && ["conditions", "actions", "name"].some((key) => root.entries.has(key));
  const { definitions = {} } = policySchema;
  return { ...definitions[isRule ? "rule" : "rules"], definitions };
}

interface RuleNode {
  path: string;
  node: YamlNode;
  /** Its key, when the document is a map of rules. */
  key: { name: string; offset: number } | undefined;
}

function ruleNodes(root: MapNode): RuleNode[] {
  const rules = root.entries.get("rules")?.value;
  if (rules === undefined) return [{ path: "", node: root, key: undefined }];
  if (rules.kind === "list")
    return rules.items.map((node, index) => ({ path: `rules[${index}]`, node, key: undefined }));
  if (rules.kind === "scalar") return [];
  return [...rules.entries].map(([name, { keyOffset, value }]) => ({
    path: `rules.${name}`,
    node: value,
    key: { name, offset: keyOffset },
  }));
}

function ruleOf({ path, node, key }: RuleNode, found: Located[]): PolicyRule {
  const rule = plainData(node) as PolicyRule;
  if (key === undefined) return rule;
  const refuse = (message: string, expected: string): void => {
    found.push({ severity: "error", offset: key.offset, path, message, expected });
  };
  // By the type a rule has a name; in a map it need not be written.
  const written: string | undefined = rule.name;
  if (written !== undefined && written !== key.name)
    refuse(`its name is ${written}`, "the same name as its key, or none");
  if (key.name === "" || key.name.length > 255) refuse("is no name", "1 to 255 characters");
  return { ...rule, name: key.name };
}

/** Where what a fault names, or the last part of the way there, stands. */
function locate(fault: RuleFault, { path, node, key }: RuleNode): Located {
  const whole = path === "" ? fault.path : `${path}.${fault.path}`;
  let current = node;
  let offset = fault.path === "name" && key !== undefined ? key.offset : node.offset;
  for (const [part] of fault.path.matchAll(/[^.[\]]+/g)) {
    if (current.kind === "scalar") break;
    const next: YamlNode | undefined =
      current.kind === "list" ? current.items[Number(part)] : current.entries.get(part)?.value;
    if (next === undefined) break;
    current = next;
    ({ offset } = next);
  }
  return { ...fault, offset, path: whole };
}
