import { durationMs, HoldfastError } from "@holdfast/core";
import { MetricsError } from "./metrics-error.ts";

/**
 * A moment: milliseconds since the epoch, a Date, an ISO 8601 text, or a duration before now as
 * people write it (`"90s"`, `"24h"`, `"7d"`).
 */
export type Moment = number | Date | string;

export interface Window {
  /** Default `"1h"`. */
  since?: Moment;
  /** Default now. */
  until?: Moment;
}

export interface EventQuery extends Window {
  /** Default all. */
  kinds?: readonly string[];
  /** The newest so many. Default all. */
  limit?: number;
}

/** Milliseconds since the epoch; `fromMs` belongs to the window, `toMs` does not. */
export interface ResolvedWindow {
  fromMs: number;
  toMs: number;
}

/** @throws MetricsError `METRICS_WINDOW_INVALID` for what is no moment, and for an empty window. */
export function resolveWindow(window: Window, nowMs: number): ResolvedWindow {
  const fromMs = resolveMoment(window.since ?? "1h", nowMs);
  // What is recorded in this very millisecond is part of "until now".
  const toMs = window.until === undefined ? nowMs + 1 : resolveMoment(window.until, nowMs);
  if (fromMs < toMs) return { fromMs, toMs };
  throw invalid(`The window ends before it begins: since ${said(fromMs)}, until ${said(toMs)}`);
}

/** As people write it; a number that is no date stays one. */
function said(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

function resolveMoment(moment: Moment, nowMs: number): number {
  if (moment instanceof Date || typeof moment === "number") {
    const ms = Number(moment);
    if (Number.isFinite(ms)) return Math.floor(ms);
    throw invalid(`Not a moment: ${String(moment)}`);
  }
  try {
    return nowMs - durationMs(moment);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const ms = Date.parse(moment);
    if (!Number.isNaN(ms)) return ms;
    throw invalid(`Not a moment: ${JSON.stringify(moment)}`, error);
  }
}

function invalid(message: string, cause?: unknown): MetricsError {
  return new MetricsError(message, {
    code: "METRICS_WINDOW_INVALID",
    hint: 'Give how far back ("90s", "24h", "7d") or a date ("2026-01-31").',
    cause,
  });
}
