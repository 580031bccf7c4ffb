import type { Evaluation } from "../evaluation.ts";

/** What was decided, as it is kept: enough to tell whether it would be decided otherwise today. */
export interface DecisionRecord {
  kind: "allow" | "abort";
  /** The rule that aborted. */
  rule?: string;
  effects: readonly EffectRecord[];
}

export interface EffectRecord {
  rule: string;
  type: string;
  parameters?: unknown;
}

export function decisionRecord({ decision, effects }: Evaluation): DecisionRecord {
  return {
    kind: decision.kind,
    ...(decision.kind === "abort" ? { rule: decision.rule } : {}),
    effects: effects.map(({ rule, action: { type, parameters } }) => ({
      rule,
      type,
      ...(parameters === undefined ? {} : { parameters }),
    })),
  };
}

/** Whether the same would be done, whichever rules say so. */
export function isSameDecision(one: DecisionRecord, other: DecisionRecord): boolean {
  return one.kind === other.kind && doneBy(one) === doneBy(other);
}

const doneBy = ({ effects }: DecisionRecord): string =>
  JSON.stringify(effects.map(({ type, parameters }) => [type, parameters]));
