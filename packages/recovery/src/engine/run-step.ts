import type { Clock } from "@holdfast/core";
import type { StepAction, StepContext, StepOutcome } from "../step.ts";
import type { Incident, IncidentStep, StepState } from "./incident.ts";
import type { JournalHold } from "./journal-hold.ts";
import type { RecoveryEvent } from "./recovery-event.ts";

export interface StepDeps {
  hold: JournalHold;
  incident: string;
  /** The action that a planned step names; undefined when this release has none. */
  actionOf: (strategy: string, action: string) => StepAction | undefined;
  undoLimitMs: number;
  clock: Clock;
  tell: (event: RecoveryEvent) => void;
}

interface StepEnd {
  state: StepState;
  message: string;
}

/** Begun so often and never ended: it kills whoever runs it. */
const ATTEMPTS_MAX = 2;

/**
 * Runs a step, or takes it up again when an earlier process was killed at it. What fails or is
 * aborted is undone; so is what was cut off twice.
 * @throws the signal's reason, when the step was undone because of it; RecoveryError
 * `RECOVERY_LEASE_LOST`, and nothing is undone then.
 */
export async function runStep(
  step: IncidentStep,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<StepState> {
  const { hold, incident, clock, tell, actionOf } = deps;
  const name = step.planned.action;
  const end = ({ state, message }: StepEnd): StepState => {
    hold.stepEnds(incident, step.ordinal, { state, message }, clock.now());
    tell({ type: "step-ended", incident, step: name, state, message });
    return state;
  };
  const action = actionOf(step.strategy, name);
  if (action === undefined) {
    return end({ state: "failed", message: `this release has no action ${name}` });
  }
  if (step.attempts >= ATTEMPTS_MAX) {
    const why = `it was cut off ${step.attempts} times`;
    return end(await undo(action, step, deps, why));
  }
  hold.stepBegins(incident, step.ordinal, clock.now());
  const { title } = step.planned;
  tell({ type: "step-began", incident, step: name, title, attempt: step.attempts + 1 });
  const remembered = { ...step.remembered };
  let outcome: StepOutcome;
  try {
    const context = contextOf(step, remembered, deps, signal);
    outcome = await action.run(step.planned.parameters, context);
  } catch (error) {
    // Whoever has taken over is at this very step: what is undone now would be that one's work.
    hold.assertHeld();
    const reason = error instanceof Error ? error.message : String(error);
    const interrupted = { ...step, remembered };
    const state = end(await undo(action, interrupted, deps, reason));
    signal.throwIfAborted();
    return state;
  }
  return end({ state: outcome.result, message: outcome.message });
}

async function undo(
  action: StepAction,
  step: IncidentStep,
  deps: StepDeps,
  why: string,
): Promise<StepEnd> {
  if (action.undo === undefined || step.planned.reversal === "nothing") {
    return { state: "failed", message: why };
  }
  // Not the caller's signal: it may be the very reason, and nothing is to be left half done.
  const limit = AbortSignal.timeout(deps.undoLimitMs);
  try {
    const context = contextOf(step, { ...step.remembered }, deps, limit);
    await action.undo(step.planned.parameters, context);
    return { state: "undone", message: `${why}; what it had changed was put back` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { state: "undo-failed", message: `${why}; putting it back failed: ${reason}` };
  }
}

/** `remembered` grows with what the step remembers. */
function contextOf(
  step: IncidentStep,
  remembered: NonNullable<IncidentStep["remembered"]>,
  { hold, incident, clock, tell }: StepDeps,
  signal: AbortSignal,
): StepContext {
  return {
    signal,
    incident,
    remembered: step.remembered,
    note: (message) => {
      hold.note(incident, step.ordinal, message, clock.now());
      tell({ type: "noted", incident, step: step.planned.action, message });
    },
    remember: (state) => {
      hold.remember(incident, step.ordinal, state);
      Object.assign(remembered, state);
    },
  };
}

/** The step that an earlier process was at when it ended. */
export function interruptedStep({ steps }: Incident): IncidentStep | undefined {
  return steps.find(({ state }) => state === "running");
}
