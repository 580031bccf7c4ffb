import {
  type CheckResult,
  type Diagnosis,
  type HealthCheck,
  type PlannedStep,
  runChecks,
} from "@holdfast/recovery";

export type StrategyFinding = Diagnosis["findings"][number];

/** The checks that failed, as findings; what each said to do next, in order. */
export async function failuresOf(
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const results = await runChecks(checks, { signal });
  return results.filter(({ status }) => status === "fail");
}

export function findingOf({ check, message, evidence }: CheckResult): StrategyFinding {
  return { check, message, ...(evidence === undefined ? {} : { evidence }) };
}

/** A diagnosis of what was found; healthy when that is nothing. */
export function diagnosisOf(
  strategy: string,
  findings: readonly StrategyFinding[],
  steps: readonly PlannedStep[],
  refusal?: { message: string; hint: string },
): Diagnosis {
  return {
    strategy,
    healthy: findings.length === 0,
    findings,
    steps,
    ...(refusal === undefined || findings.length === 0 || steps.length > 0 ? {} : { refusal }),
  };
}
