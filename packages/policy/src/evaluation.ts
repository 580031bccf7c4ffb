import type { EffectAction } from "./rule.ts";
import type { CountersView } from "./counters/counters.ts";

export interface EvaluateOptions {
  /** Wall-clock milliseconds. */
  now: number;
  /** IANA name; for `time_range` conditions that name none. */
  timezone: string;
  /** Draws `probability`: the same seed, rule and event draw the same. */
  seed: string;
  /** What was counted before; it is only read. `undefined` when it cannot be: limits then allow. */
  counters: CountersView | undefined;
  /**
   * Trace every rule, matching or not, and every condition. Default false: only rules that matched,
   * failed or were held back by a limit, without their conditions.
   */
  explain?: boolean;
}

export interface Evaluation {
  decision: Decision;
  /** What is to be done, in order; an executor does it afterwards. */
  effects: readonly Effect[];
  trace: readonly RuleTrace[];
  /** What must be counted if the decision is carried out. */
  claims: readonly Claim[];
}

export type Decision =
  | { kind: "allow" }
  | { kind: "abort"; rule: string; reason: string | undefined };

/** One action of one rule that is to be done. */
export interface Effect {
  rule: string;
  action: EffectAction;
  /** The action's place in its rule, as written, from 0. */
  index: number;
  /** Names it among all effects of all events: the same again for the same event. */
  key: string;
}

/** One use of a limit. */
export interface Claim {
  rule: string;
  /** Empty for an execution of the rule, else the path of the `rate_limit` condition. */
  slot: string;
  /** Whose count: the scope's value for a rule of a narrower scope than global. */
  subject: string;
  event: string;
  /** Wall-clock milliseconds. */
  at: number;
  /** How long it must be remembered at least, in milliseconds. */
  keepMs: number;
}

export type Outcome = "true" | "false" | "error";

export interface RuleTrace {
  rule: string;
  /** `error`: its conditions could not be decided, so it does nothing. */
  outcome: "matched" | "not-matched" | "error" | "blocked";
  blockedBy?: BlockedBy;
  /** One line for a person. */
  why: string;
  /** The rule whose `chain_policy` led here. */
  chainedFrom?: string;
  /** With `explain`: each condition, in the order written. */
  conditions: readonly ConditionTrace[];
  /** With `explain`, for a rule that matched: each action, in the order it was looked at. */
  actions: readonly ActionTrace[];
  /** Said although the rule went on: a counter that could not be read, a text that was cut. */
  notes: readonly string[];
}

export type BlockedBy = "disabled" | "scope" | "cooldown" | "max_executions" | "abort" | "done";

export interface ConditionTrace {
  /** As in the document: `conditions[0].sub_conditions[1]`. */
  path: string;
  type: string;
  field?: string;
  negate: boolean;
  /** After `negate`. `not-asked`: a limit that nothing depended on. */
  outcome: Outcome | "not-asked";
  /** What was found; absent when there was nothing. */
  actual?: unknown;
  /** What would make it true, before `negate`. */
  expected: string;
  why: string;
  sub_conditions?: readonly ConditionTrace[];
}

export interface ActionTrace {
  type: string;
  index: number;
  selected: boolean;
  why: string;
  condition?: ConditionTrace;
}
