import type { Diagnosis, PlannedStep } from "../step.ts";

/** What would be done, and why. Plain data: print it, keep it, compare it. */
export interface RecoveryPlan {
  /** No strategy finds anything wrong. */
  readonly healthy: boolean;
  readonly diagnoses: readonly Diagnosis[];
  /** In the order in which they would be run, until one is proved to have sufficed. */
  readonly steps: readonly StrategyStep[];
  /** What only a person can do. */
  readonly refusals: readonly { strategy: string; message: string; hint: string }[];
}

export interface StrategyStep {
  readonly strategy: string;
  readonly step: PlannedStep;
}

const RISKS: readonly PlannedStep["risk"][] = ["none", "low", "medium", "high"];

/**
 * A plan of what the strategies found: their order is kept, since a later one depends on what an
 * earlier one looks at; the steps of one are ranked by risk, then by cost.
 */
export function planOf(diagnoses: readonly Diagnosis[]): RecoveryPlan {
  return {
    healthy: diagnoses.every(({ healthy }) => healthy),
    diagnoses,
    steps: diagnoses.flatMap(({ strategy, steps }) =>
      steps.toSorted(byRiskThenCost).map((step) => ({ strategy, step })),
    ),
    refusals: diagnoses.flatMap(({ strategy, refusal }) =>
      refusal === undefined ? [] : [{ strategy, ...refusal }],
    ),
  };
}

/** What a person is told of a step that is left to him. */
export const BY_HAND = "Ask for the recovery by hand, after a look at its plan.";

/** The same plan without its steps of greater risk, each of which becomes a refusal. */
export function withinRisk(
  plan: RecoveryPlan,
  riskMax: PlannedStep["risk"],
  hint: string = BY_HAND,
): RecoveryPlan {
  const allows = ({ step }: StrategyStep): boolean =>
    RISKS.indexOf(step.risk) <= RISKS.indexOf(riskMax);
  const refused = plan.steps.filter((step) => !allows(step));
  return {
    ...plan,
    steps: plan.steps.filter(allows),
    refusals: [
      ...plan.refusals,
      ...refused.map(({ strategy, step }) => ({
        strategy,
        message: `${step.title}: its risk is ${step.risk}, so it is not run unasked`,
        hint,
      })),
    ],
  };
}

/** A plan in lines for a person: what was found, what would be done, and what it would change. */
export function planLines({ diagnoses, steps, refusals }: RecoveryPlan): string[] {
  const found = diagnoses.flatMap(({ strategy, healthy, findings }) => [
    `${strategy}: ${healthy ? "nothing wrong" : "found"}`,
    ...findings.map(({ check, message }) => `  ${check}: ${message}`),
  ]);
  const planned = steps.flatMap(({ strategy, step }, index) => [
    `${index + 1}. ${step.title} (${strategy}; risk ${step.risk}, ${reversalOf(step)})`,
    ...step.changes.map((change) => `   would change: ${change}`),
  ]);
  const refused = refusals.flatMap(({ strategy, message, hint }) => [
    `${strategy} cannot repair it: ${message}`,
    `  next: ${hint}`,
  ]);
  return [...found, ...planned, ...refused];
}

function byRiskThenCost(one: PlannedStep, other: PlannedStep): number {
  return RISKS.indexOf(one.risk) - RISKS.indexOf(other.risk) || one.costMs - other.costMs;
}

function reversalOf({ reversal, changes }: PlannedStep): string {
  if (reversal === "undo") return "can be undone";
  if (reversal === "pre-image") return "a copy is made first";
  return changes.length === 0 ? "changes nothing" : "nothing to take back";
}
