import { appendFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

/** One line of the report. */
export interface Result {
  subject: string;
  /** What `value` counts: a ratio (×, share) or an absolute figure. */
  value: number;
  unit: "×" | "share" | "ns" | "µs" | "ms" | "s" | "MiB" | "bytes";
  goal?: { atMost: number } | { atLeast: number };
  /** The figures behind it. */
  detail?: string;
}

/** Where `bench:all` collects what every benchmark reports, a result as JSON a line. */
const COLLECTED = process.env["BENCH_RESULTS"];

/** Prints a table; benchmarks are no tests, and end with 0 whatever it shows. */
export function report(results: readonly Result[]): void {
  const load = (loadavg()[0] ?? Number.NaN).toFixed(1);
  process.stdout.write(`Node ${process.version}, ${cpus().length} cores, load ${load}\n\n`);
  process.stdout.write(table(results));
  if (COLLECTED === undefined) return;
  for (const result of results) appendFileSync(COLLECTED, `${JSON.stringify(result)}\n`);
}

export function table(results: readonly Result[]): string {
  const head = "| Subject | Result | Goal | | Behind it |\n|---|---|---|---|---|\n";
  return head + results.map((result) => `${row(result)}\n`).join("");
}

function row(result: Result): string {
  const { subject, value, unit, goal, detail = "" } = result;
  const wanted =
    goal === undefined
      ? ""
      : "atMost" in goal
        ? `≤ ${figure(goal.atMost, unit)}`
        : `≥ ${figure(goal.atLeast, unit)}`;
  return `| ${subject} | ${figure(value, unit)} | ${wanted} | ${verdict(result)} | ${detail} |`;
}

function figure(value: number, unit: Result["unit"]): string {
  if (unit === "share") return `${brief(value * 100)} %`;
  return unit === "×" ? brief(value) : `${brief(value)} ${unit}`;
}

/** Three digits are all that a benchmark is good for. */
function brief(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

function verdict({ value, goal }: Result): string {
  if (goal === undefined) return "";
  const met = "atMost" in goal ? value <= goal.atMost : value >= goal.atLeast;
  return met ? "met" : "**missed**";
}
