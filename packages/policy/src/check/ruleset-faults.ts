import { suggest } from "@holdfast/document";
import { chainsOf } from "../evaluate/compiled-rule.ts";
import type { PolicyRule } from "../rule.ts";
import { error, type RuleFault } from "./rule-faults.ts";

/** How many rules a chain may lead through after the first. */
const CHAIN_DEPTH_MAX = 10;

/**
 * What is wrong between rules: names given twice, chains that lead nowhere, back, or too far; each
 * with the place of its rule. `known` names rules that are not among them but will be there; when
 * these are unknown, a chain to a rule that is not here is only noted.
 */
export function rulesetFaults(
  rules: readonly PolicyRule[],
  known: ReadonlySet<string> | "unknown" = new Set(),
): { rule: number; fault: RuleFault }[] {
  const names = new Set<string>();
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const depths = chainDepths(byName);
  const found: { rule: number; fault: RuleFault }[] = [];
  for (const [index, rule] of rules.entries()) {
    if (names.has(rule.name))
      found.push({
        rule: index,
        fault: error("name", `${rule.name} is given twice`, "each name once"),
      });
    names.add(rule.name);
    for (const [place, action] of rule.actions.entries()) {
      if (action.type !== "chain_policy") continue;
      const { policy } = action.parameters;
      const fault = byName.has(policy)
        ? lengthFault(rule.name, policy, byName, depths)
        : nowhereFault(
            policy,
            [...byName.keys()].filter((name) => name !== rule.name),
            known,
          );
      if (fault !== undefined)
        found.push({
          rule: index,
          fault: { ...fault, path: `actions[${place}].parameters.policy` },
        });
    }
  }
  return found;
}

function nowhereFault(
  to: string,
  others: readonly string[],
  known: ReadonlySet<string> | "unknown",
): RuleFault | undefined {
  if (known === "unknown") return elsewhereFault(to, suggest(to, others));
  if (known.has(to)) return undefined;
  const meant = suggest(to, [...others, ...known]);
  const fault = error("", `there is no rule ${to}`, "the name of another rule");
  return meant === undefined ? fault : { ...fault, suggestion: meant };
}

function elsewhereFault(to: string, meant: string | undefined): RuleFault {
  const message = `there is no rule ${to} in this file`;
  return meant === undefined
    ? { severity: "note", path: "", message }
    : { severity: "warning", path: "", message, suggestion: meant };
}

type Rules = ReadonlyMap<string, PolicyRule>;

/** How far the chains from each rule lead, counted to one past the cap: a cycle leads on for ever. A rule that leads nowhere is left out. */
function chainDepths(rules: Rules): ReadonlyMap<string, number> {
  const chains = [...rules]
    .map(([name, rule]) => [name, chainsOf(rule)] as const)
    .filter(([, targets]) => targets.length > 0);
  let depths = new Map<string, number>();
  for (let round = 0; round <= CHAIN_DEPTH_MAX; round += 1) {
    const before = depths;
    depths = new Map(
      chains.map(([name, targets]) => [
        name,
        targets.reduce((most, to) => Math.max(most, 1 + (before.get(to) ?? 0)), 0),
      ]),
    );
  }
  return depths;
}

function lengthFault(
  from: string,
  to: string,
  rules: Rules,
  depths: ReadonlyMap<string, number>,
): RuleFault | undefined {
  if ((depths.get(to) ?? 0) < CHAIN_DEPTH_MAX) return undefined;
  const way = [from];
  let next: string | undefined = to;
  while (next !== undefined && way.length <= CHAIN_DEPTH_MAX + 1) {
    way.push(next);
    if (next === from) return error("", `leads back: ${way.join(" → ")}`, "a chain that ends");
    const rule = rules.get(next);
    const targets: string[] = rule === undefined ? [] : chainsOf(rule);
    next = targets.includes(from)
      ? from
      : targets.toSorted((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0))[0];
  }
  return error("", `chains more than ${CHAIN_DEPTH_MAX} rules`, "a shorter chain");
}
