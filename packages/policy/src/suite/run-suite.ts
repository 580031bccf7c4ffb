import { evaluate } from "../evaluate/evaluate.ts";
import type { Ruleset } from "../evaluate/ruleset.ts";
import type { Evaluation } from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { SimulatedCounters } from "../replay/simulated-counters.ts";
import type { CoverageMeter } from "./coverage.ts";
import { completeEvent } from "./read-event.ts";
import {
  type Expectation,
  offsetOf,
  startOf,
  type Suite,
  type SuiteTest,
} from "./suite-document.ts";

export interface TestReport {
  name: string;
  passed: boolean;
  /** One line each: which event, what was expected, what came. */
  failures: readonly string[];
}

export interface RunSuiteOptions {
  /** Told of every trace. */
  meter?: CoverageMeter;
  /** For suites that state none. */
  timezone?: string;
  seed?: string;
}

/**
 * Runs each test of a suite: its events one after the other, at its own times, with limits counted
 * from nothing. Nothing is done and nothing is kept.
 */
export function runSuite(
  suite: Suite,
  ruleset: Ruleset,
  options: RunSuiteOptions = {},
): TestReport[] {
  return suite.tests.map((test) => {
    const failures = runTest(suite, test, ruleset, options);
    return { name: test.name, passed: failures.length === 0, failures };
  });
}

function runTest(
  suite: Suite,
  test: SuiteTest,
  ruleset: Ruleset,
  { meter, timezone = "UTC", seed = "" }: RunSuiteOptions,
): string[] {
  const counters = new SimulatedCounters();
  const start = startOf(suite, test);
  let now = start;
  return test.events.flatMap((step, index) => {
    if (step.at !== undefined) now = start + offsetOf(step.at);
    const event = completeEvent(step.event, { id: `${test.name}/${index}`, at: now });
    const evaluation = evaluate(ruleset, event, {
      now,
      timezone: suite.timezone ?? timezone,
      seed: suite.seed ?? seed,
      counters,
      explain: true,
    });
    counters.count(evaluation.claims);
    meter?.see(evaluation.trace);
    return differences(step.expect, evaluation, ruleset).map(
      (line) => `events[${index}] (${titleOf(event)}): ${line}`,
    );
  });
}

function differences(
  expected: Expectation,
  { decision, effects, trace }: Evaluation,
  ruleset: Ruleset,
): string[] {
  const matched = trace.filter(({ outcome }) => outcome === "matched").map(({ rule }) => rule);
  const by = decision.kind === "abort" ? decision.rule : undefined;
  const found: string[] = [];
  const compare = (what: string, wanted: string | undefined, actual: string | undefined): void => {
    if (wanted !== undefined && wanted !== actual)
      found.push(`expected ${what} ${wanted}, was ${actual ?? "nothing"}`);
  };
  compare("decision", expected.decision, decision.kind);
  compare("aborted_by", expected.aborted_by, by);
  compare("matched", listed(expected.matched?.toSorted()), listed(matched.toSorted()));
  compare("effects", listed(expected.effects), listed(effects.map(({ action }) => action.type)));
  for (const name of expected.not_matched ?? [])
    if (matched.includes(name)) found.push(`expected that ${name} does not match, and it did`);
  // A name that no rule has would never match, whatever the rules say.
  for (const name of [...(expected.not_matched ?? []), ...(expected.matched ?? [])])
    if (ruleset.rules.every((rule) => rule.name !== name)) found.push(`there is no rule ${name}`);
  return found;
}

const listed = (names: readonly string[] | undefined): string | undefined =>
  names === undefined ? undefined : `[${names.join(", ")}]`;

function titleOf({ type, text }: PolicyEvent): string {
  if (text === undefined) return type;
  return `${type} ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`;
}
