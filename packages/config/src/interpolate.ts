import { plainScalar, YamlError, type YamlNode } from "@holdfast/document";

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;
const NAMED = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])(.*))?$/s;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `${VAR:?message}` in scalars, after parsing, so that a
 * variable's content can never become structure. `$${` stands for itself. An unquoted scalar is
 * then read again as a number or boolean: `port: ${PORT}` is a number.
 * @throws YamlError at a variable that is not set, or a reference that is not one.
 */
export function interpolate(root: YamlNode, environment: Environment): YamlNode {
  const done = new Map<YamlNode, YamlNode>();
  const visit = (node: YamlNode): YamlNode => {
    const known = done.get(node);
    if (known !== undefined) return known;
    const result = replaced(node);
    done.set(node, result);
    return result;
  };
  const replaced = (node: YamlNode): YamlNode => {
    if (node.kind === "list") return { ...node, items: node.items.map(visit) };
    if (node.kind === "map") {
      const entries = [...node.entries].map(
        ([key, entry]) => [key, { ...entry, value: visit(entry.value) }] as const,
      );
      return { ...node, entries: new Map(entries) };
    }
    if (typeof node.value !== "string" || !node.value.includes("${")) return node;
    const text = expand(node.value, node.offset, environment);
    return { ...node, value: node.plain ? plainScalar(text) : text };
  };
  return visit(root);
}

function expand(text: string, offset: number, environment: Environment): string {
  return text.replace(REFERENCE, (whole: string, inner: string | undefined) => {
    if (inner === undefined) return "${";
    const [, name, operator, operand] = NAMED.exec(inner) ?? [];
    if (name === undefined)
      throw new YamlError(`${whole} is not a reference`, offset, "${NAME} or ${NAME:-default}");
    // Not what every object has: `constructor`, say.
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (operator === undefined && value !== undefined) return value;
    if (operator !== undefined && value !== undefined && value !== "") return value;
    if (operator === "-") return operand ?? "";
    const why = operator === "?" && operand ? `: ${operand}` : "";
    throw new YamlError(`the environment variable ${name} is not set${why}`, offset);
  });
}
