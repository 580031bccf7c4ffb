import { type Command, Option } from "commander";
import { formatDuration } from "@holdfast/core";
import type { MemoryStatus } from "@holdfast/memory";
import type { OperationSummary } from "@holdfast/metrics";
import { circuitName, circuitsOf, worstCircuit } from "../../breaker-text.ts";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { roomFor } from "../../memory-text.ts";
import { type MetricsReport, readMetrics } from "../../metrics-report.ts";
import { budget, lastText, percent, runs, took, windowText } from "../../metrics-text.ts";
import { columns, type Output, printable } from "../../output.ts";
import { usage } from "../../selection.ts";
import { sparkline } from "../../sparkline.ts";
import { withMirror } from "../../wire.ts";
import { counted } from "../../counted.ts";

const FORMATS = ["text", "json", "yaml"] as const;

interface StatsOptions {
  format?: (typeof FORMATS)[number];
  since: string;
}

export function register(command: Command, context: Context): void {
  command
    .addOption(
      new Option("--format <format>", "json and yaml print the data alone; default: text").choices(
        FORMATS,
      ),
    )
    .option("--since <when>", "how far back, as in 90s, 24h or 7d, or a date", "24h")
    .action((options: StatsOptions) => stats(options, context));
  example(command, ["holdfast memory stats", "holdfast memory stats --since 7d --format yaml"]);
}

interface Report {
  configuration: { source: string; file: string | undefined; environment: string };
  memories: number;
  ledger: MemoryStatus["ledger"];
  outbox: MemoryStatus["outbox"];
  breaker: MemoryStatus["breaker"];
  metrics: MetricsReport;
}

async function stats({ format, since }: StatsOptions, context: Context): Promise<void> {
  const { output } = context;
  if (output.json && format !== undefined && format !== "json")
    throw usage(`--json and --format ${format} cannot both be had`, "Leave one of them out.");
  const loaded = context.config();
  const report = await withMirror(context, (memory, workspace): Report => {
    const { mirrored, ledger, outbox, breaker } = memory.status();
    return {
      configuration: {
        source: loaded.source,
        file: loaded.file,
        environment: loaded.config.environment,
      },
      memories: mirrored,
      ledger,
      outbox,
      breaker,
      metrics: readMetrics(workspace, since),
    };
  });
  const { lastError, dropped } = report.metrics.file;
  if (lastError !== null) output.warn(`metrics: ${lastError.message}`);
  if (dropped > 0) output.warn(`metrics: dropped ${counted(dropped, "record")}`);
  output.result(report, await render(report, format ?? "text", output));
}

async function render(
  report: Report,
  format: (typeof FORMATS)[number],
  output: Output,
): Promise<string> {
  const plain = JSON.stringify(report, undefined, 2);
  if (format === "json") return plain;
  if (format === "text") return text(report, output);
  const { dump } = await import("js-yaml");
  return dump(JSON.parse(plain));
}

function text(report: Report, output: Output): string {
  const { configuration, metrics, memories, ledger, outbox } = report;
  const oldest =
    outbox.oldestAgeMs === undefined
      ? ""
      : `, the oldest for ${formatDuration(outbox.oldestAgeMs)}`;
  const facts = [
    [
      "configuration",
      `${configuration.file ?? "built-in defaults"} (${configuration.source}, ${configuration.environment})`,
    ],
    ["memories", `${memories}; ${outbox.records} waiting${oldest}; ${ledger.dead} refused`],
    ["memory", runs(metrics.memory.overall)],
    ...(metrics.memory.objective === undefined ? [] : [["", budget(metrics.memory.objective)]]),
    ["store", runs(metrics.store.overall)],
    ...(metrics.store.objective === undefined ? [] : [["", budget(metrics.store.objective)]]),
    ...metrics.objectives.map((objective) => [objective.name, budget(objective)]),
    ...events(report),
  ];
  const head = output.paint("bold", windowText(metrics));
  const parts = [head, printable(columns(facts)), table(metrics)];
  if (process.stdout.isTTY) parts.push(course(metrics));
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Breaker, recovery, availability, and what went well and wrong last. */
function events({ breaker: state, metrics }: Report): string[][] {
  const { breaker, recovery, incidents, last } = metrics;
  const now = Date.now();
  const worst = worstCircuit(state);
  const alike = circuitsOf(state).filter((circuit) => circuit.state === worst.state);
  const states =
    worst.state === "closed"
      ? "closed now"
      : `${alike.map(circuitName).join(", ")} ${worst.state} now`;
  const mttr =
    incidents === undefined || incidents.mttrMs === null
      ? ""
      : `, mean time to repair ${formatDuration(incidents.mttrMs)}`;
  return [
    ["breaker", `${counted(breaker.trips, "trip")}; ${states}`],
    ["recovery", `${counted(recovery.attempts, "attempt")}, ${recovery.succeeded} succeeded`],
    ...(incidents === undefined
      ? []
      : [
          [
            "available",
            `${percent(incidents.availability)}, ${counted(incidents.opened, "incident")}, ${formatDuration(incidents.downtimeMs)} down${mttr}`,
          ],
        ]),
    ...(last.success === undefined ? [] : [["last success", lastText(last.success, now)]]),
    ...(last.failure === undefined ? [] : [["last failure", lastText(last.failure, now)]]),
  ];
}

function table({ memory, store }: MetricsReport): string {
  const row = (summary: OperationSummary): string[] => {
    const { averageMs, p50Ms, p95Ms, p99Ms, maxMs } = summary.durations;
    const outcomes = Object.entries(summary.outcomes).map(([name, count]) => `${name} ${count}`);
    return [
      summary.operation,
      String(summary.total),
      percent(summary.successRate),
      percent(summary.failureRate),
      ...[averageMs, p50Ms, p95Ms, p99Ms, maxMs].map(took),
      outcomes.join(", "),
    ];
  };
  const rows = [...memory.operations, ...store.operations].map(row);
  if (rows.length === 0) return "";
  const names = ["RUNS", "OK", "FAILED", "AVERAGE", "P50", "P95", "P99", "MAX", "OUTCOMES"];
  return printable(columns([["OPERATION", ...names], ...rows]));
}

/** How it went over the window, one character a step. */
function course({ memory }: MetricsReport): string {
  const { stepMs } = memory.timeline;
  // The last ones, where the terminal has not the room for all.
  const points = memory.timeline.points.slice(-roomFor("average  ".length));
  const total = points.map(({ succeeded, failed }) => succeeded + failed);
  if (total.every((count) => count === 0)) return "";
  return columns([
    ["runs", sparkline(total)],
    ...(points.every(({ failed }) => failed === 0)
      ? []
      : [["failed", sparkline(points.map(({ failed }) => failed))]]),
    ["p95", sparkline(points.map(({ p95Ms }) => p95Ms))],
    ["average", sparkline(points.map(({ movingAverageMs }) => movingAverageMs))],
    ["", `a step is ${formatDuration(stepMs)}; the average moves over five`],
  ]);
}
