import {
  type CheckOutcome,
  RecoveryEngine,
  type RecoveryEngineDeps,
  type RecoveryStrategy,
  type StepOutcome,
} from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";
import { scratchJournal } from "./scratch.ts";

export const PASS: CheckOutcome = { status: "pass", message: "the canary came back" };
export const repaired = (): StepOutcome => ({ result: "repaired", message: "" });
const FAIL: CheckOutcome = { status: "fail", message: "no answer", hint: "look at its log" };

/** An engine for a shop that is well when `serves` says so, on a journal and a clock of its own. */
export function engineOf(
  strategies: readonly RecoveryStrategy[],
  serves: () => boolean,
  deps: Partial<RecoveryEngineDeps> = {},
): RecoveryEngine {
  return new RecoveryEngine(
    { service: "shop" },
    {
      journal: scratchJournal(),
      strategies,
      prove: () => (serves() ? PASS : FAIL),
      clock: new FakeClock(),
      ...deps,
    },
  );
}
