import type { Tier } from "./maintenance.ts";
import { MetricsError } from "./metrics-error.ts";
import type { SloObjective } from "./slo.ts";

/** How an outcome counts: `ignored` is neither (the caller's fault, or cancelled by it). */
export type OutcomeClass = "success" | "failure" | "ignored";

export interface MetricsOptions {
  /** The SQLite file; it and its folder are created when first needed. */
  path: string;
  /** Longest time in milliseconds that a record waits in memory; 0 for never. Default 1000. */
  flushIntervalMs?: number;
  /** Signals at which to flush; the signal's effect stays the host's. Default SIGTERM, SIGINT. */
  signals?: readonly NodeJS.Signals[];
  /** Default 10 s kept for 2 hours, 1 min for 2 days, 1 h for 400 days. */
  tiers?: readonly Tier[];
  /** Age in milliseconds at which an event is deleted. Default 400 days. */
  eventKeepMs?: number;
  /** Events kept of each kind. Default 10000. */
  eventsPerKindMax?: number;
  /** Series, of all kinds; later ones are counted under `_other`. Default 1000. */
  seriesMax?: number;
  /** Duration in milliseconds from which an operation counts as slow. Default 1000. */
  slowMs?: number;
  /**
   * How an outcome counts in rates. Default: `success` is one, `ignored`, `cancelled` and
   * `_other` are neither, everything else is a failure.
   */
  classify?: (operation: string, outcome: string) => OutcomeClass;
  /** Objectives reported by `summary()`. Default none. */
  slos?: readonly SloObjective[];
}

export type ResolvedOptions = Required<MetricsOptions>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_TIERS: readonly Tier[] = [
  { resolutionMs: 10_000, keepMs: 2 * HOUR_MS },
  { resolutionMs: MINUTE_MS, keepMs: 2 * DAY_MS },
  { resolutionMs: HOUR_MS, keepMs: 400 * DAY_MS },
];

/** The defaults of {@link MetricsOptions} that are plain values, in its units. */
export const METRICS_DEFAULTS: Readonly<
  Record<"flushIntervalMs" | "eventKeepMs" | "eventsPerKindMax" | "seriesMax" | "slowMs", number>
> = {
  flushIntervalMs: 1_000,
  eventKeepMs: 400 * DAY_MS,
  eventsPerKindMax: 10_000,
  seriesMax: 1_000,
  slowMs: 1_000,
};

/** @throws MetricsError `METRICS_OPTION_INVALID` naming the option. */
export function resolveOptions(options: MetricsOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    ...METRICS_DEFAULTS,
    signals: ["SIGTERM", "SIGINT"],
    tiers: DEFAULT_TIERS,
    classify: classifyByName,
    slos: [],
    ...given(options),
  };
  check(typeof resolved.path === "string" && resolved.path !== "", "path", "must not be empty");
  check(resolved.flushIntervalMs >= 0, "flushIntervalMs", "must be 0 or more");
  check(resolved.eventKeepMs > 0, "eventKeepMs", "must be positive");
  check(resolved.slowMs >= 0, "slowMs", "must be 0 or more");
  check(isPositiveInteger(resolved.eventsPerKindMax), "eventsPerKindMax", "must be at least 1");
  check(isPositiveInteger(resolved.seriesMax), "seriesMax", "must be at least 1");
  checkTiers(resolved.tiers);
  return resolved;
}

/** Without the keys that plain JavaScript callers set to undefined. */
function given(options: MetricsOptions): MetricsOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as MetricsOptions;
}

function checkTiers(tiers: readonly Tier[]): void {
  check(tiers.length > 0, "tiers", "must have at least one");
  tiers.forEach((tier, index) => {
    const finer = tiers[index - 1];
    check(isPositiveInteger(tier.resolutionMs), "tiers", "must have whole, positive resolutions");
    check(tier.keepMs >= tier.resolutionMs, "tiers", "must keep at least one bucket each");
    if (finer === undefined) return;
    check(
      tier.resolutionMs > finer.resolutionMs && tier.resolutionMs % finer.resolutionMs === 0,
      "tiers",
      "must each be a multiple of the finer one before it",
    );
    check(tier.keepMs > finer.keepMs, "tiers", "must each be kept longer than the one before it");
  });
}

function classifyByName(_operation: string, outcome: string): OutcomeClass {
  if (outcome === "success") return "success";
  return outcome === "ignored" || outcome === "cancelled" || outcome === "_other"
    ? "ignored"
    : "failure";
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function check(holds: boolean, option: string, rule: string): void {
  if (holds) return;
  throw new MetricsError(`Metrics option ${option} ${rule}`, {
    code: "METRICS_OPTION_INVALID",
    hint: `Correct ${option}; the README lists every option with its default.`,
  });
}
