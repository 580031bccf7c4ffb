import { formatDuration } from "@holdfast/core";
import type { CheckResult, CheckStatus, ServiceStatus } from "@holdfast/recovery";
import { formatBytes } from "../backup/backup-text.ts";
import { moment } from "../memory-text.ts";
import { columns, type Output, printable } from "../output.ts";
import type { HealthAnswer } from "./health-answer.ts";
import type { HealthHistory } from "./health-history.ts";

const STATUS_COLOURS: Readonly<Record<ServiceStatus, "green" | "yellow" | "red">> = {
  healthy: "green",
  recovering: "yellow",
  degraded: "yellow",
  unknown: "yellow",
  unhealthy: "red",
  offline: "red",
};

const MARKS: Readonly<Record<CheckStatus, string>> = {
  pass: "ok",
  warn: "WARN",
  fail: "FAIL",
  unknown: "?",
};

/** The verdict with its cause and the next command, then each service; its checks if `detailed`. */
export function healthText(
  answer: HealthAnswer,
  output: Output,
  history: HealthHistory | undefined,
): string {
  const { status, cause, next, services } = answer;
  const painted = output.paint([STATUS_COLOURS[status], "bold"], status);
  const rows = services.flatMap(({ service, status: each, checks }) => [
    [service, each, summaryOf(checks)],
    ...(history === undefined ? [] : checks.map(detailOf)),
  ]);
  return [
    `${painted}: ${printable(cause)}`,
    ...(next === undefined ? [] : [`next: ${printable(next)}`]),
    "",
    printable(columns(rows)),
    ...(history === undefined ? [] : ["", printable(columns(historyRows(history)))]),
  ].join("\n");
}

function summaryOf(checks: readonly CheckResult[]): string {
  const wrong = checks.filter(({ status }) => status !== "pass");
  if (wrong.length === 0) return checks.length === 1 ? (checks[0]?.message ?? "") : "";
  // Of a service that nothing answers for, that alone: the rest follows from it.
  const offline = wrong.filter(
    ({ status, severity }) => status === "fail" && severity === "offline",
  );
  const telling = offline.length > 0 ? offline.slice(0, 1) : wrong;
  return telling.map(({ check, message }) => `${check}: ${message}`).join("; ");
}

const detailOf = ({ check, status, message, tookMs }: CheckResult): string[] => [
  `  ${check}`,
  MARKS[status],
  `${message} (${formatDuration(Math.max(1, Math.round(tookMs)))})`,
];

function historyRows({ metrics, selfTest, incidents, growth }: HealthHistory): string[][] {
  const { success, failure } = metrics.last;
  return [
    [
      "self-test",
      selfTest === undefined
        ? "never run; run it with: holdfast health --self-test"
        : `${selfTest.passed ? "passed" : "FAILED"} on ${moment(selfTest.at)}`,
    ],
    ...Object.entries(selfTest?.parts ?? {}).map(([name, end]) => [`  ${name}`, end]),
    [
      "activity",
      `${metrics.memory.overall.total} operations in 24 h, ${metrics.memory.overall.failed} failed`,
    ],
    [
      "last success",
      success === undefined ? "none" : `${success.operation}, ${moment(success.atMs)}`,
    ],
    [
      "last failure",
      failure === undefined
        ? "none in 24 h"
        : [failure.operation, moment(failure.atMs), failure.code, failure.message]
            .filter((part) => part !== undefined)
            .join(", "),
    ],
    ["incidents", incidents.length === 0 ? "none in 90 days" : `${incidents.length} in 90 days`],
    ...incidents
      .slice(0, 3)
      .map(({ openedAt, state, message }) => ["", `${moment(openedAt)} ${state}: ${message}`]),
    ["growth", growthText(growth)],
  ];
}

export function growthText({
  bytesPerDay,
  freeBytes,
  daysToFull,
}: HealthHistory["growth"]): string {
  const free = `${formatBytes(freeBytes)} free`;
  if (bytesPerDay === undefined) return `too few memories to tell a rate by; ${free}`;
  if (daysToFull === undefined) return `nothing was added in a week; ${free}`;
  const rate = `about ${formatBytes(bytesPerDay)} a day, ${free}`;
  return `${rate}, full in ${formatDuration(daysToFull * 24 * 3_600_000)}`;
}
