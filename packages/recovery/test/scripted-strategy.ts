import type {
  Diagnosis,
  PlannedStep,
  RecoveryStrategy,
  StepAction,
  StepContext,
  StepOutcome,
} from "../src/index.ts";

export interface ScriptedStep extends Partial<PlannedStep> {
  action: string;
  run?: (context: StepContext) => StepOutcome | Promise<StepOutcome>;
  undo?: (context: StepContext) => void | Promise<void>;
}

/** A strategy that finds `broken()` wrong and offers the given steps. */
export function scripted(
  name: string,
  broken: () => boolean,
  steps: readonly ScriptedStep[],
  refusal?: Diagnosis["refusal"],
): RecoveryStrategy {
  return {
    name,
    diagnose: ({ force = false }) => {
      const healthy = !broken();
      return Promise.resolve({
        strategy: name,
        healthy,
        findings: healthy ? [] : [{ check: name, message: "it is broken" }],
        steps: healthy && !force ? [] : steps.map(plannedStep),
        ...(refusal === undefined ? {} : { refusal }),
      });
    },
    actions: steps.map(actionOf),
  };
}

function plannedStep({ run: _run, undo: _undo, ...step }: ScriptedStep): PlannedStep {
  return {
    parameters: {},
    title: step.action,
    changes: [],
    risk: "low",
    costMs: 1,
    reversal: "undo",
    ...step,
  };
}

function actionOf({ action, run, undo }: ScriptedStep): StepAction {
  return {
    name: action,
    run: async (_parameters, context) =>
      run === undefined ? { result: "repaired", message: "done" } : await run(context),
    ...(undo === undefined ? {} : { undo: async (_parameters, context) => undo(context) }),
  };
}
