import { existsSync } from "node:fs";
import { HoldfastError, systemClock } from "@holdfast/core";
import {
  type ChangedEvent,
  type DecisionRecord,
  loadPolicies,
  readRecordedEvents,
  replay as replayEvents,
  type ReplayReport,
} from "@holdfast/policy";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { type Output, printable } from "../../output.ts";
import { policyPlaceOf } from "../../policy/policy-place.ts";
import { duration } from "../../selection.ts";
import { counted } from "../../counted.ts";

export function register(command: Command, context: Context): void {
  command
    .option("--since <duration>", "only events of this time, as 24h or 7d; default: all", duration)
    .action((options: { since?: number }) => replay(options, context));
  example(command, ["holdfast memory policy replay --since 24h"]);
}

function replay({ since }: { since?: number }, context: Context): void {
  const place = policyPlaceOf(context);
  if (!existsSync(place.eventsFile))
    throw new HoldfastError("No event was recorded that could be decided again", {
      code: "POLICY_EVENTS_MISSING",
      hint: "Let them be recorded: set policies.record_events in the configuration, as to 1000.",
    });
  const { ruleset } = loadPolicies(place.directory);
  const from = since === undefined ? 0 : systemClock.now() - since;
  const report = replayEvents(readRecordedEvents(place.eventsFile, from), ruleset);
  context.output.result(report, text(report, context.output));
}

function text({ events, changed }: ReplayReport, output: Output): string {
  const many = counted(changed.length, "event");
  return [
    ...changed.flatMap((each) => changeLines(each, output)),
    `${counted(events, "event")} replayed; ${many} would be decided differently`,
  ].join("\n");
}

function changeLines({ recorded, decision, limited }: ChangedEvent, output: Output): string[] {
  const { event, now } = recorded;
  const about = event.text === undefined ? event.id : JSON.stringify(event.text.slice(0, 80));
  return [
    `${new Date(now).toISOString()} ${printable(event.type)} ${printable(about)}`,
    output.paint("red", `  - ${decisionText(recorded.decision)}`),
    output.paint("green", `  + ${decisionText(decision)}`),
    ...(limited ? ["    a limit takes part: its use before the first record is not known"] : []),
  ];
}

function decisionText({ kind, rule, effects }: DecisionRecord): string {
  const by = rule === undefined ? "" : ` by ${rule}`;
  const done = effects.map(({ rule: from, type, parameters }) => {
    const stated = parameters === undefined ? "" : ` ${JSON.stringify(parameters)}`;
    return `${type}${stated} (${from})`;
  });
  return printable([`${kind}${by}`, ...done].join(", "));
}
