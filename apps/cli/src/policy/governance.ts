import type { SecretReference } from "@holdfast/config";
import { type Memory, redactedMemory } from "@holdfast/memory";
import { governedMemory } from "@holdfast/memory/policy";
import type { MetricsStore } from "@holdfast/metrics";
import {
  Decider,
  type Evaluation,
  dropRecordedEvents,
  type EffectReport,
  EventRecorder,
  loadPolicies,
} from "@holdfast/policy";
import { openMetrics } from "../metrics.ts";
import { redactorOf } from "../redaction.ts";
import type { Workspace } from "../workspace.ts";
import { outwardActions } from "./outward-actions.ts";
import { placeOfPolicies } from "./policy-place.ts";

export interface GovernanceDeps {
  readSecret: (reference: SecretReference) => string;
  /** Told what went differently from what the policies say, and alerts to the console. */
  warn: (message: string) => void;
  /** Told what a policy recalled. */
  note: (message: string) => void;
  /** What leads out of the memory. Default: it is done before the call returns. */
  outward?: ReturnType<typeof outwardActions>;
}

/**
 * The memory under the workspace's policies; undefined when there are none.
 * @throws PolicyError `POLICY_INVALID`: for a slip in one rule, nothing that another forbids is done.
 */
export async function governed(
  memory: Memory,
  workspace: Workspace,
  deps: GovernanceDeps,
): Promise<Memory | undefined> {
  const { config } = workspace;
  const { directory, timezone, seed, countersFile, eventsFile } = placeOfPolicies(workspace);
  const { record_events: eventsMax } = config.policies;
  // With the wish to have records, those there are go.
  if (eventsMax === 0) dropRecordedEvents(eventsFile);
  const { ruleset, warnings } = loadPolicies(directory);
  if (ruleset.rules.length === 0) return undefined;
  for (const { file, line, path, message } of warnings)
    deps.warn(`${file}:${line}: ${path} ${message}`);
  const decider = new Decider(ruleset, { countersFile, timezone, seed });
  const recorder = eventsMax === 0 ? undefined : new EventRecorder({ path: eventsFile, eventsMax });
  const metrics = openMetrics(workspace);
  const under = governedMemory(memory, {
    decider,
    outward:
      deps.outward ??
      outwardActions(workspace, {
        readSecret: deps.readSecret,
        write: (text) => deps.warn(text.trimEnd()),
      }),
    onReport: (report) => tell(report, deps),
    onDecision(event, evaluation, now) {
      count(metrics, evaluation);
      recorder?.record(event, evaluation, { now, timezone, seed });
      const { fault } = decider;
      if (fault !== undefined)
        deps.warn(`policies could not be counted, so their limits allowed: ${fault.message}`);
      if (recorder?.fault !== undefined)
        deps.warn(`the event was not recorded for replay: ${recorder.fault.message}`);
    },
  });
  const closed = closing(under, () => {
    decider.close();
    recorder?.close();
    metrics.close();
  });
  // Outermost, so that nothing that a policy sends, logs or records holds a secret.
  return redactedMemory(closed, await redactorOf(config));
}

/** Each rule that had a say, and what it said. */
function count(metrics: MetricsStore, { decision, trace }: Evaluation): void {
  for (const { rule, outcome } of trace) {
    if (outcome !== "matched") continue;
    const aborted = decision.kind === "abort" && decision.rule === rule;
    metrics.count("policy.decisions", 1, { rule, decision: aborted ? "abort" : "allow" });
  }
}

function tell({ outcome, rule, type, error, result }: EffectReport, deps: GovernanceDeps): void {
  if (outcome === "failed")
    deps.warn(`the policy ${rule} could not carry out ${type}: ${error?.message ?? "it failed"}`);
  else if (type === "recall_memory")
    for (const { id, text } of (result as { hits: readonly { id: string; text: string }[] }).hits)
      deps.note(`the policy ${rule} recalls ${id}: ${text}`);
}

/** The same memory, with more to close after it. */
function closing(memory: Memory, more: () => void): Memory {
  const close = async (): Promise<void> => {
    await memory.close();
    more();
  };
  return new Proxy(memory, {
    get: (target, key): unknown =>
      key === "close" || key === Symbol.asyncDispose ? close : Reflect.get(target, key, target),
  });
}
