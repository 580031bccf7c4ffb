import type { Action, PolicyRule } from "../rule.ts";
import type { Analysis } from "./analysis.ts";
import { all, demand, type Formula, TRUE } from "./formula.ts";
import { matching } from "./rule-formula.ts";

/** Pairs of actions that are compared at most. */
const PAIRS_MAX = 5_000;

/** One action of one rule on one memory. */
interface Site {
  rule: PolicyRule;
  action: Action;
  index: number;
  /** The id as written; empty for the memory that the event is about. */
  memory: string;
}

/** Finds actions that one event sets off and that undo each other, or cannot both have their way. */
export function findContradictions(analysis: Analysis): void {
  let compared = 0;
  for (const [one, other, what] of clashes(analysis.rules)) {
    compared += 1;
    if (compared > PAIRS_MAX) {
      const why = "there are too many actions to compare them all";
      return analysis.undecided("contradictory", one.rule.name, why, other.rule.name);
    }
    examine(one, other, what, analysis);
  }
}

function examine(one: Site, other: Site, what: string, analysis: Analysis): void {
  const own = one.rule === other.rule;
  const solution = analysis.solve(
    all([reaching(one), reaching(other)]),
    (witness) => analysis.matches(one.rule, witness) && analysis.matches(other.rule, witness),
  );
  const name = own ? undefined : other.rule.name;
  if (solution.answer === "impossible") return;
  if (solution.answer === "unknown")
    return analysis.undecided("contradictory", one.rule.name, solution.why, name);
  const { done } = analysis.effectsOf(solution.witness);
  if (![one, other].every(({ rule, index }) => done.has(`${rule.name}/${index}`))) {
    const why = "for the event that was tried, a skip or an abort kept one of the two from acting";
    return analysis.undecided("contradictory", one.rule.name, why, name);
  }
  analysis.found({
    kind: "contradictory",
    rule: one.rule.name,
    ...(name === undefined ? {} : { other: name }),
    message: `one event makes ${own ? "it" : `it and ${name}`} ${what}`,
    paths: own ? [`actions[${one.index}]`, `actions[${other.index}]`] : [`actions[${one.index}]`],
    witness: solution.witness,
  });
}

function reaching({ rule, action }: Site): Formula {
  if (action.condition === undefined) return matching(rule);
  return all([matching(rule), demand(action.condition, rule.name, TRUE)]);
}

/** Every two actions that clash if one event sets off both; those of one memory only. */
function* clashes(rules: readonly PolicyRule[]): Generator<[Site, Site, what: string]> {
  const sites = rules.flatMap(sitesOf);
  for (const own of Map.groupBy(sites, ({ memory }) => memory).values()) {
    const byType = Map.groupBy(own, ({ action: { type } }) => type);
    const of = (type: Action["type"]): Site[] => byType.get(type) ?? [];
    const removed = Map.groupBy(of("remove_tag"), tagOf);
    for (const added of of("add_tag"))
      for (const other of removed.get(tagOf(added)) ?? [])
        yield [added, other, `both add and remove the tag ${tagOf(added)}`];
    const scored = of("set_quality_score");
    for (const [at, one] of scored.entries())
      for (const other of scored.slice(0, at))
        if (scoreOf(one) !== scoreOf(other))
          yield [one, other, `set the quality score to ${scoreOf(one)} and to ${scoreOf(other)}`];
    for (const deleted of of("delete_memory"))
      for (const other of TOUCHING.flatMap(of))
        yield [deleted, other, `both delete the memory and ${other.action.type}`];
  }
}

const TOUCHING = [
  "update_memory",
  "archive_memory",
  "set_quality_score",
  "add_tag",
  "remove_tag",
] as const;

function sitesOf(rule: PolicyRule): Site[] {
  return rule.actions.map((action, index) => {
    const { id = "" } = (action.parameters ?? {}) as { id?: string };
    return { rule, action, index, memory: id };
  });
}

const tagOf = ({ action }: Site): string =>
  action.type === "add_tag" || action.type === "remove_tag" ? action.parameters.tag : "";

const scoreOf = ({ action }: Site): number =>
  action.type === "set_quality_score" ? action.parameters.score : 0;
