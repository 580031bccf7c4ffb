import { existsSync } from "node:fs";
import type { Command } from "commander";
import { formatDuration, HoldfastError } from "@holdfast/core";
import { type Incident, RecoveryJournal } from "@holdfast/recovery";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { moment } from "../../memory-text.ts";
import { columns, printable } from "../../output.ts";
import { wholeNumber } from "../../selection.ts";
import { recoveryFileOf, workspaceOf } from "../../workspace.ts";

interface Options {
  limit: number;
}

export function register(command: Command, context: Context): void {
  command
    .argument("[id]", "show this one in full; how it begins will do")
    .option("--limit <n>", "how many at most, the newest first", wholeNumber(1, 1_000), 20)
    .action((id: string | undefined, options: Options) => incidents(id, options, context));
  example(command, ["holdfast memory incidents", "holdfast memory incidents 20260131-12"]);
}

function incidents(id: string | undefined, { limit }: Options, context: Context): void {
  const { output } = context;
  const file = recoveryFileOf(workspaceOf(context.config()));
  // Asking what was repaired is no reason to make a file.
  using journal = existsSync(file) ? RecoveryJournal.open(file) : undefined;
  if (id === undefined) {
    const list = journal?.incidents({ limit }) ?? [];
    output.result({ incidents: list }, listText(list));
    return;
  }
  const incident = journal?.incident(id);
  if (incident === undefined) {
    throw new HoldfastError(`There is no incident ${printable(id)}, or more than one begins so`, {
      code: "INCIDENT_NOT_FOUND",
      hint: "See them with: holdfast memory incidents",
    });
  }
  output.result(incident, detailText(incident));
}

function listText(list: readonly Incident[]): string {
  if (list.length === 0) return "No incidents: nothing has been repaired here yet.";
  const rows = list.map((incident) => [
    incident.id,
    incident.state,
    tookOf(incident),
    incident.trigger,
    incident.message,
  ]);
  return printable(columns([["INCIDENT", "STATE", "TOOK", "BECAUSE", "END"], ...rows]));
}

function detailText(incident: Incident): string {
  const { id, state, trigger, since, openedAt, message, hint, resumed, notes } = incident;
  const rows = [
    ["incident", id],
    ["state", `${state}${message === "" ? "" : `: ${message}`}`],
    ...(hint === undefined ? [] : [["next", hint]]),
    ["because", trigger],
    ["noticed", moment(since)],
    ["began", moment(openedAt)],
    ["took", tookOf(incident)],
    ...(resumed === 0 ? [] : [["taken up", `${resumed} times, after a kill`]]),
  ];
  const found = incident.diagnoses.flatMap(({ strategy, findings }) =>
    findings.map(({ check, message: what }) => [`  ${strategy}`, check, what]),
  );
  const steps = incident.steps.map(({ ordinal, strategy, planned, state: end, message: said }) => [
    `  ${ordinal + 1}`,
    strategy,
    planned.title,
    said === "" ? end : `${end}: ${said}`,
  ]);
  const noted = notes.map(({ at, step, message: said }) => [
    `  ${moment(at)}`,
    `${step + 1}`,
    said,
  ]);
  const sections = [
    columns(rows),
    ...section("found", found),
    ...section("steps", steps),
    ...section("notes", noted),
  ];
  return printable(sections.join("\n"));
}

function section(title: string, rows: readonly string[][]): string[] {
  return rows.length === 0 ? [] : ["", title, columns(rows)];
}

function tookOf({ openedAt, closedAt }: Incident): string {
  return closedAt === undefined ? "unfinished" : formatDuration(closedAt - openedAt);
}
