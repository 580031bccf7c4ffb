import type { Histogram } from "./histogram.ts";
import { damaged } from "./metrics-error.ts";

export type SeriesKind = "operation" | "counter" | "gauge";

/** Dimensions of a counter or gauge. Keep their values few: never a user or record id. */
export type Labels = Readonly<Record<string, string>>;

/** Stands for every series above the bound on their number. */
export const OVERFLOW_NAME = "_other";

/** What was recorded of one series in one time bucket, ready to be merged into the file. */
export interface Cell {
  kind: SeriesKind;
  name: string;
  /** An operation's outcome, or the canonical JSON of labels; "" without labels. */
  labels: string;
  startMs: number;
  count: number;
  sum: number;
  min: number;
  max: number;
  /** A gauge's latest value and its time; null for the other kinds. */
  last: number | null;
  lastAtMs: number | null;
  /** An operation's encoded histogram; null for the other kinds. */
  histogram: Uint8Array | null;
}

/** Something that happened once, kept apart from the aggregates. */
export interface MetricsEvent {
  /** Wall-clock milliseconds since the epoch. */
  atMs: number;
  /** Lower-case words joined by dots, as in `breaker.transition`. */
  kind: string;
  /** What it happened to: a breaker's, an incident's, an operation's name. */
  subject: string;
  data: EventData;
}

export type EventData = Readonly<Record<string, string | number | boolean | null>>;

const LABEL_LENGTH_MAX = 200;

/**
 * The same text for the same labels, whatever their order. Never throws: a label that is not a
 * text, number or boolean is left out, a long one cut.
 */
export function labelsKey(labels: Labels | undefined): string {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(labels ?? {}) as [string, unknown][]) {
    if (typeof value === "string") pairs.push([name, value.slice(0, LABEL_LENGTH_MAX)]);
    else if (typeof value === "number" || typeof value === "boolean") {
      pairs.push([name, String(value)]);
    }
  }
  if (pairs.length === 0) return "";
  return JSON.stringify(pairs.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Reads what {@link labelsKey} wrote. @throws MetricsError `METRICS_DAMAGED`. */
export function parseLabels(key: string): Record<string, string> {
  return key === "" ? {} : Object.fromEntries(parseStored(key) as [string, string][]);
}

/** Reads JSON from the file. @throws MetricsError `METRICS_DAMAGED`. */
export function parseStored(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged("text", error);
  }
}

export function operationCell(
  name: string,
  outcome: string,
  startMs: number,
  histogram: Histogram,
): Cell {
  const { count, sum, min, max } = histogram;
  return {
    kind: "operation",
    name,
    labels: outcome,
    startMs,
    count,
    sum,
    min,
    max,
    last: null,
    lastAtMs: null,
    histogram: histogram.encode(),
  };
}
