import { formatDuration } from "@holdfast/core";
import type { SloReport } from "@holdfast/metrics";
import { moment } from "./memory-text.ts";
import type { LastRun, MetricsDigest, Tally } from "./metrics-digest.ts";
import type { MetricsReport } from "./metrics-report.ts";
import { counted } from "./counted.ts";

/** `99.95 %`; `–` where nothing was observed. Never 100 % of what is not all. */
export function percent(share: number | null): string {
  if (share === null) return "–";
  const digits = share < 1 && share > 0.99 ? 2 : 1;
  // Whole parts first: 0.999 × 100 is a hair below 99.9.
  const parts = Math.floor(Number((share * 10 ** (digits + 2)).toFixed(6)));
  return `${parts / 10 ** digits} %`;
}

/** Milliseconds for a table; `–` where there was none. */
export function took(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 10 ? `${Number(ms.toPrecision(2))} ms` : formatDuration(ms);
}

/** `12 runs, 91.6 % succeeded (3 degraded, 2 queued), 1 failed` */
export function runs(tally: Omit<Tally, "p95Ms">): string {
  const { total, failed, successRate, outcomes } = tally;
  const count = counted(total, "run");
  if (successRate === null) return count;
  const lesser = ["degraded", "queued"]
    .filter((outcome) => outcomes[outcome] !== undefined)
    .map((outcome) => `${outcomes[outcome]} ${outcome}`);
  const how = lesser.length === 0 ? "" : ` (${lesser.join(", ")})`;
  const bad = failed === 0 ? "" : `, ${failed} failed`;
  return `${count}, ${percent(successRate)} succeeded${how}${bad}`;
}

/** `99.9 % promised over 30 d: 100 % of the error budget left` */
export function budget({ objective, periodMs, errorBudget }: SloReport): string {
  const promised = `${percent(objective)} promised over ${formatDuration(periodMs)}`;
  const { remaining } = errorBudget;
  if (remaining === null) return `${promised}: nothing ran`;
  if (remaining < 0) return `${promised}: the error budget is overdrawn`;
  return `${promised}: ${percent(remaining)} of the error budget left`;
}

/** `search 3 s ago`, with the reason of a failure. */
export function lastText({ operation, atMs, code, message }: LastRun, now: number): string {
  const why = [code, message].filter((part) => part !== undefined).join(" ");
  const ago = formatDuration(Math.max(0, now - atMs));
  return `${operation} ${ago} ago${why === "" ? "" : `, ${why}`}`;
}

/** The rows of `memory status`. */
export function statusRows({ memory, store, last }: MetricsDigest, now: number): string[][] {
  const line = (tally: Tally): string => {
    const slowest = Object.entries(tally.p95Ms)
      .filter((entry) => entry[1] !== null)
      .map(([operation, ms]) => `${operation.replace(/^store\./, "")} ${took(ms)}`);
    return `${runs(tally)}${slowest.length === 0 ? "" : `; p95 ${slowest.join(", ")}`}`;
  };
  return [
    ["last 24 h", `memory ${line(memory)}`],
    ...(store.total === 0 ? [] : [["", `store ${line(store)}`]]),
    ["last success", last.success === undefined ? "none" : lastText(last.success, now)],
    ...(last.failure === undefined ? [] : [["last failure", lastText(last.failure, now)]]),
  ];
}

/** `from … until …` of a report. */
export function windowText({ fromMs, toMs }: MetricsReport): string {
  return `${formatDuration(toMs - fromMs)} until ${moment(toMs)}`;
}
