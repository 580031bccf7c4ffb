import type {
  ActionTrace,
  BlockedBy,
  Claim,
  ConditionTrace,
  Decision,
  Effect,
  EvaluateOptions,
  Evaluation,
  RuleTrace,
} from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import type { Action, EffectAction } from "../rule.ts";
import { type CompiledAction, type CompiledRule, subjectOf } from "./compiled-rule.ts";
import { ask, askAll } from "./condition.ts";
import { Fault, type Question } from "./leaf-condition.ts";
import type { Ruleset } from "./ruleset.ts";

/**
 * What the rules say of an event. Pure: the same arguments, the same answer, and nothing is done.
 * What a rule's `abort` stops are all rules after it; a rule acts at most once an event.
 */
export function evaluate(
  ruleset: Ruleset,
  event: PolicyEvent,
  options: EvaluateOptions,
): Evaluation {
  return new Run(ruleset, event, options).evaluation();
}

type Held = { blockedBy: BlockedBy; why: string };

class Run {
  readonly #ruleset: Ruleset;
  readonly #event: PolicyEvent;
  readonly #options: EvaluateOptions;
  readonly #effects: Effect[] = [];
  readonly #trace: RuleTrace[] = [];
  readonly #claims: Claim[] = [];
  readonly #asked = new Set<CompiledRule>();
  #decision: Decision = { kind: "allow" };

  constructor(ruleset: Ruleset, event: PolicyEvent, options: EvaluateOptions) {
    this.#ruleset = ruleset;
    this.#event = event;
    this.#options = options;
  }

  evaluation(): Evaluation {
    const explain = this.#options.explain === true;
    for (const rule of explain ? this.#ruleset.all : this.#ruleset.candidates(this.#event)) {
      if (this.#decision.kind === "abort" && !explain) break;
      this.#rule(rule, undefined);
    }
    return {
      decision: this.#decision,
      effects: this.#effects,
      trace: this.#trace,
      claims: this.#claims,
    };
  }

  #rule(rule: CompiledRule, chainedFrom: string | undefined): void {
    const { name } = rule.rule;
    const explain = this.#options.explain === true;
    const tell = (line: Pick<RuleTrace, "outcome" | "why"> & Partial<RuleTrace>): void => {
      const chained = chainedFrom === undefined ? {} : { chainedFrom };
      this.#trace.push({ rule: name, conditions: [], actions: [], notes: [], ...chained, ...line });
    };
    const subject = subjectOf(rule, this.#event);
    const held = this.#held(rule, subject);
    if (held !== undefined) {
      // What a rule has done already it says itself, and what the index leaves out says nothing.
      if (explain ? !(held.blockedBy === "done" && chainedFrom === undefined) : isLimit(held))
        tell({ outcome: "blocked", ...held });
      return;
    }
    this.#asked.add(rule);
    const question = this.#question(rule, subject ?? "");
    const conditions: ConditionTrace[] = [];
    const verdict = askAll(
      rule.conditions,
      question,
      explain ? (lines) => conditions.push(...lines) : undefined,
    );
    const { notes } = question;
    if (verdict instanceof Fault)
      return tell({ outcome: "error", why: verdict.why, conditions, notes });
    if (!verdict) {
      if (explain)
        tell({ outcome: "not-matched", why: "its conditions do not hold", conditions, notes });
      return;
    }
    this.#claimExecution(rule, question);
    const actions: ActionTrace[] = [];
    tell({ outcome: "matched", why: "its conditions hold", conditions, actions, notes });
    this.#act(rule, question, (line) => actions.push(line));
  }

  /** Why the rule is not even asked; undefined when it is. */
  #held(rule: CompiledRule, subject: string | undefined): Held | undefined {
    const { scope, enabled } = rule;
    const decision = this.#decision;
    if (this.#asked.has(rule)) return { blockedBy: "done", why: "it was asked already" };
    if (decision.kind === "abort") return { blockedBy: "abort", why: `${decision.rule} aborted` };
    if (!enabled) return { blockedBy: "disabled", why: "it is not enabled" };
    if (subject === undefined) return { blockedBy: "scope", why: `the event names no ${scope}` };
    return this.#limited(rule, subject);
  }

  #limited({ rule }: CompiledRule, subject: string): Held | undefined {
    const { name, max_executions: most, cooldown_period: cooldown } = rule;
    const { counters, now } = this.#options;
    if ((most === undefined && cooldown === undefined) || counters === undefined) return undefined;
    if (counters.counted(name, "", this.#event.id)) return undefined;
    const { count, lastAt } = counters.executions(name, subject);
    if (most !== undefined && count >= most)
      return { blockedBy: "max_executions", why: `it has acted ${count} times of ${most}` };
    if (cooldown === undefined || lastAt === undefined) return undefined;
    const cooldownMs = cooldown * 1_000;
    const restMs = lastAt + cooldownMs - now;
    // An act that is further ahead than this is of a clock that was set back since.
    if (restMs <= 0 || restMs > 2 * cooldownMs) return undefined;
    return { blockedBy: "cooldown", why: `it cools down for ${Math.ceil(restMs / 1_000)} s more` };
  }

  #question({ rule }: CompiledRule, subject: string): Question {
    const { counters } = this.#options;
    const limited = rule.max_executions !== undefined || rule.cooldown_period !== undefined;
    const notes =
      limited && counters === undefined ? ["its limits could not be counted, so it went on"] : [];
    // Spelled out, since it is made for each rule that is asked.
    const { now, timezone, seed } = this.#options;
    return {
      event: this.#event,
      now,
      timezone,
      seed,
      counters,
      rule: rule.name,
      subject,
      claims: this.#claims,
      notes,
    };
  }

  #claimExecution({ rule }: CompiledRule, { subject, now, counters }: Question): void {
    const { name, max_executions: most, cooldown_period: cooldown } = rule;
    if ((most === undefined && cooldown === undefined) || counters === undefined) return;
    const event = this.#event.id;
    if (counters.counted(name, "", event)) return;
    this.#claims.push({
      rule: name,
      slot: "",
      subject,
      event,
      at: now,
      keepMs: (cooldown ?? 0) * 1_000,
    });
  }

  #act(rule: CompiledRule, question: Question, tell: (line: ActionTrace) => void): void {
    for (const compiled of rule.actions) {
      const { action, index } = compiled;
      const { selected, why, condition } = this.#selected(compiled, question);
      const reason = reasonOf(action);
      const told = reason === undefined ? why : `${why} (${reason})`;
      tell({ type: action.type, index, selected, why: told, ...(condition && { condition }) });
      if (!selected) continue;
      if (action.type === "skip") return;
      if (action.type === "abort") {
        const { name } = rule.rule;
        this.#decision = { kind: "abort", rule: name, reason };
      } else if (action.type === "chain_policy") {
        const target = this.#ruleset.named(action.parameters.policy);
        if (target !== undefined) this.#rule(target, rule.rule.name);
      } else this.#effects.push(this.#effect(rule, action, index));
      if (this.#decision.kind === "abort") return;
    }
  }

  #selected(
    { condition }: CompiledAction,
    question: Question,
  ): Pick<ActionTrace, "selected" | "why" | "condition"> {
    if (condition === undefined) return { selected: true, why: "it has no condition" };
    const lines: ConditionTrace[] = [];
    const explain = this.#options.explain === true;
    const verdict = ask(condition, question, explain ? (line) => lines.push(line) : undefined);
    const [line] = lines;
    const traced = line === undefined ? {} : { condition: line };
    if (verdict instanceof Fault) return { selected: false, why: verdict.why, ...traced };
    const why = `its condition ${verdict ? "holds" : "does not hold"}`;
    return { selected: verdict, why, ...traced };
  }

  #effect({ rule }: CompiledRule, action: EffectAction, index: number): Effect {
    const { id } = this.#event;
    return {
      rule: rule.name,
      action,
      index,
      key: `${id}/${encodeURIComponent(rule.name)}/${index}`,
    };
  }
}

const reasonOf = (action: Action): string | undefined =>
  action.type === "skip" || action.type === "abort" ? action.parameters?.reason : undefined;

const isLimit = ({ blockedBy }: Held): boolean =>
  blockedBy === "cooldown" || blockedBy === "max_executions";
