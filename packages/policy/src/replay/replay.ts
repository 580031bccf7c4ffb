import { evaluate } from "../evaluate/evaluate.ts";
import type { Ruleset } from "../evaluate/ruleset.ts";
import { decisionRecord, type DecisionRecord, isSameDecision } from "./decision-record.ts";
import type { RecordedEvent } from "./event-recorder.ts";
import { SimulatedCounters } from "./simulated-counters.ts";

export interface ReplayReport {
  events: number;
  /** Those that would be decided differently, oldest first. */
  changed: readonly ChangedEvent[];
}

export interface ChangedEvent {
  recorded: RecordedEvent;
  decision: DecisionRecord;
  /** A limit held a rule back now: what it used before the first record is not known. */
  limited: boolean;
}

/**
 * Decides recorded events again, each at its own time, and compares. Limits are counted from the
 * first record on. The same records and rules, the same report.
 */
export function replay(records: readonly RecordedEvent[], ruleset: Ruleset): ReplayReport {
  const counters = new SimulatedCounters();
  const changed: ChangedEvent[] = [];
  for (const recorded of records) {
    const { event, now, timezone, seed } = recorded;
    const evaluation = evaluate(ruleset, event, { now, timezone, seed, counters });
    counters.count(evaluation.claims);
    const decision = decisionRecord(evaluation);
    if (isSameDecision(recorded.decision, decision)) continue;
    const limited =
      evaluation.trace.some(({ outcome }) => outcome === "blocked") || evaluation.claims.length > 0;
    changed.push({ recorded, decision, limited });
  }
  return { events: records.length, changed };
}
