import { durationMs } from "@holdfast/core";
import { Histogram } from "./histogram.ts";
import type { ResolvedOptions } from "./metrics-options.ts";
import { MetricsError } from "./metrics-error.ts";
import { addCell, type MetricsReader } from "./reader.ts";

export interface SloObjective {
  name: string;
  /** Share of good runs that is promised, above 0 and below 1: 0.999 for "three nines". */
  objective: number;
  /** Over which time it is promised, as people write it. Default `"30d"`. */
  period?: string;
  /** The operations that it covers. Default all. */
  operations?: readonly string[];
  /** A success slower than this, in milliseconds, is not good. Default: speed does not matter. */
  slowMs?: number;
}

export const SLO_DEFAULTS = { period: "30d" } as const;

/**
 * Fires when the budget burns at `threshold` times the sustainable rate over both windows: the
 * long one shows that it matters, the short one that it still goes on.
 */
export interface BurnRate {
  severity: "page" | "ticket";
  longMs: number;
  shortMs: number;
  threshold: number;
  /** Null when nothing ran in that window. */
  longBurn: number | null;
  shortBurn: number | null;
  firing: boolean;
}

export interface SloReport {
  name: string;
  objective: number;
  periodMs: number;
  good: number;
  bad: number;
  /** Null when nothing ran in the period: that is not 100 %. */
  attained: number | null;
  errorBudget: {
    /** Bad runs that the objective allows among those that ran. */
    allowed: number;
    /** Share of it that is left: 1 untouched, 0 used up, negative when broken. Null: nothing ran. */
    remaining: number | null;
  };
  burnRates: BurnRate[];
}

const HOUR_MS = 3_600_000;

/*
 * Beyer et al., "The Site Reliability Workbook" (2018), chapter 5, table 5-8: a page when 2 % of
 * the budget goes in an hour or 5 % in six, a ticket when 10 % goes in three days; the short
 * window is a twelfth.
 */
const ALERTS = [
  { severity: "page", longMs: HOUR_MS, budget: 0.02 },
  { severity: "page", longMs: 6 * HOUR_MS, budget: 0.05 },
  { severity: "ticket", longMs: 72 * HOUR_MS, budget: 0.1 },
] as const;

/** @throws MetricsError `METRICS_OPTION_INVALID` for an objective that nothing can attain or miss. */
export function sloReport(
  reader: MetricsReader,
  options: ResolvedOptions,
  slo: SloObjective,
  nowMs: number,
): SloReport {
  if (!(slo.objective > 0 && slo.objective < 1)) {
    throw new MetricsError(`The objective of ${slo.name} is ${slo.objective}`, {
      code: "METRICS_OPTION_INVALID",
      hint: "Give a share above 0 and below 1, such as 0.999.",
    });
  }
  const periodMs = durationMs(slo.period ?? SLO_DEFAULTS.period);
  const allowedShare = 1 - slo.objective;
  const { good, bad } = tally(reader, options, slo, nowMs - periodMs, nowMs);
  const ran = good + bad;
  const allowed = ran * allowedShare;
  const burn = (windowMs: number): number | null => {
    const window = tally(reader, options, slo, nowMs - windowMs, nowMs);
    const total = window.good + window.bad;
    return total === 0 ? null : window.bad / total / allowedShare;
  };
  return {
    name: slo.name,
    objective: slo.objective,
    periodMs,
    good,
    bad,
    attained: ran === 0 ? null : good / ran,
    errorBudget: { allowed, remaining: ran === 0 ? null : 1 - bad / allowed },
    burnRates: ALERTS.filter(({ longMs }) => longMs < periodMs).map((alert) => {
      const shortMs = alert.longMs / 12;
      const threshold = (alert.budget * periodMs) / alert.longMs;
      const longBurn = burn(alert.longMs);
      const shortBurn = burn(shortMs);
      const firing = (longBurn ?? 0) >= threshold && (shortBurn ?? 0) >= threshold;
      const { severity, longMs } = alert;
      return { severity, longMs, shortMs, threshold, longBurn, shortBurn, firing };
    }),
  };
}

function tally(
  reader: MetricsReader,
  options: ResolvedOptions,
  slo: SloObjective,
  fromMs: number,
  nowMs: number,
): { good: number; bad: number } {
  let succeeded = 0;
  let failed = 0;
  const durations = new Histogram();
  for (const cell of reader.cells("operation", fromMs, nowMs + 1)) {
    if (slo.operations !== undefined && !slo.operations.includes(cell.name)) continue;
    const outcomeClass = options.classify(cell.name, cell.labels);
    if (outcomeClass === "failure") failed += cell.count;
    if (outcomeClass !== "success") continue;
    succeeded += cell.count;
    if (slo.slowMs !== undefined) addCell(durations, cell);
  }
  const slow = slo.slowMs === undefined ? 0 : succeeded - durations.countAtMost(slo.slowMs);
  return { good: succeeded - slow, bad: failed + slow };
}
