import { existsSync } from "node:fs";
import {
  type CountersView,
  evaluate,
  type Evaluation,
  type PolicyEvent,
  type Ruleset,
  SimulatedCounters,
  SqliteCounters,
} from "@holdfast/policy";
import type { PolicyPlace } from "./policy-place.ts";

/**
 * What the rules say of an event now, every rule and condition explained: limits as far as they are
 * used up in truth. Nothing is done and nothing is counted.
 */
export function evaluateDry(ruleset: Ruleset, event: PolicyEvent, place: PolicyPlace): Evaluation {
  const { timezone, seed, countersFile } = place;
  const decide = (counters: CountersView): Evaluation =>
    evaluate(ruleset, event, { now: event.at, timezone, seed, counters, explain: true });
  if (!existsSync(countersFile)) return decide(new SimulatedCounters());
  using counters = SqliteCounters.open(countersFile);
  return decide(counters);
}
