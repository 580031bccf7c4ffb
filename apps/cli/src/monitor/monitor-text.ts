import { formatDuration } from "@holdfast/core";
import {
  causeOf,
  type CheckReport,
  type HealthReport,
  type SupervisorEvent,
} from "@holdfast/recovery";
import { counted } from "../counted.ts";
import { moment } from "../memory-text.ts";
import { columns, type Output, printable } from "../output.ts";

const COLOURS = {
  healthy: "green",
  degraded: "yellow",
  recovering: "yellow",
  unknown: "yellow",
  unhealthy: "red",
  offline: "red",
} as const;
const MARKS = { pass: "✓", warn: "!", fail: "✗", unknown: "?" } as const;

/** An event in one line; undefined for one that says nothing new. */
export function eventLine(event: SupervisorEvent, output: Output, now: number): string | undefined {
  const text = eventText(event, output);
  return text === undefined ? undefined : `${moment(now)}  ${text}`;
}

function eventText(event: SupervisorEvent, output: Output): string | undefined {
  if (event.type === "checked") return checkedText(event.report, output);
  if (event.type === "recovered") {
    return `${paint("healthy", "recovered", output)}, after ${formatDuration(event.downMs)}`;
  }
  const text = plainText(event);
  return text === undefined ? undefined : printable(text);
}

function plainText(event: SupervisorEvent): string | undefined {
  if (event.type === "exit") return `${event.exit.how}, after ${formatDuration(event.exit.ranMs)}`;
  if (event.type === "decided" && event.decision.action !== "give-up") {
    const { action, why, attempt } = event.decision;
    const what = action === "restart" ? "starting it again" : "looking for what is wrong";
    return `${what} (attempt ${attempt}): ${why}`;
  }
  if (event.type === "attempt-failed") return `that did not help: ${event.message}`;
  if (event.type === "gave-up") return withNext(`given up: ${event.message}`, event.hint);
  // A change of status stands in the line of the look that showed it.
  return undefined;
}

function checkedText(report: HealthReport, output: Output): string {
  const { status, checks } = report;
  const head = paint(status, status, output);
  const foreseen = checks.filter(
    ({ severity, last }) => severity === "none" && last.status !== "pass",
  );
  const ahead = foreseen.map(({ check, last }) => `; foreseen: ${check}: ${last.message}`).join("");
  const passing = checks.length - foreseen.length;
  if (status === "healthy")
    return `${head}  ${counted(passing, "check")} ${passing === 1 ? "passes" : "pass"}${printable(ahead)}`;
  const hint = checks.find((check) => check.status !== "pass" && check.last.hint)?.last.hint;
  return `${head}  ${printable(withNext(`${causeOf(report)}${ahead}`, hint))}`;
}

/** The screen of a terminal, top to bottom. */
export function screenLines(
  report: HealthReport,
  { place, recent, output }: { place: string; recent: readonly string[]; output: Output },
): string[] {
  const { status, checks, at } = report;
  return [
    `${paint(status, status, output)}  ${printable(place)}  ${moment(at)}`,
    "",
    // A line a check: what does not fit is cut off.
    ...columns(checks.map(rowOf), Number.POSITIVE_INFINITY).split("\n").map(printable),
    ...(recent.length === 0 ? [] : ["", ...recent]),
    "",
    "Ctrl-C ends it.",
  ];
}

function rowOf({ check, service, status, last, ageMs }: CheckReport): string[] {
  const age = ageMs === undefined ? "never" : `${formatDuration(ageMs)} ago`;
  const next = last.hint === undefined || status === "pass" ? "" : ` (next: ${last.hint})`;
  return [
    MARKS[status],
    service,
    check,
    formatDuration(last.tookMs),
    age,
    `${last.message}${next}`,
  ];
}

function paint(status: HealthReport["status"], text: string, output: Output): string {
  return output.paint([COLOURS[status], "bold"], text);
}

function withNext(text: string, hint: string | undefined): string {
  return hint === undefined ? text : `${text} (next: ${hint})`;
}
