import { Histogram } from "./histogram.ts";
import type { ResolvedOptions } from "./metrics-options.ts";
import { addCell, type StoredCell } from "./reader.ts";
import type { ResolvedWindow, Window } from "./window.ts";

export interface TimelineQuery extends Window {
  /** Default all operations. */
  operation?: string;
  /** Distance of points in milliseconds; widened to what is stored. Default 60 points. */
  stepMs?: number;
  /** Points that the moving average spans. Default 5. */
  movingPoints?: number;
}

export interface TimelinePoint {
  /** Start of the step, milliseconds since the epoch. */
  atMs: number;
  succeeded: number;
  failed: number;
  ignored: number;
  averageMs: number | null;
  /** Over this point and those before it, each run counting alike; null without any run. */
  movingAverageMs: number | null;
  p95Ms: number | null;
  maxMs: number | null;
}

export interface Timeline {
  stepMs: number;
  points: TimelinePoint[];
}

interface Step {
  histogram: Histogram | undefined;
  succeeded: number;
  failed: number;
  ignored: number;
}

const POINTS_DEFAULT = 60;
const POINTS_MAX = 10_000;
const MOVING_POINTS_DEFAULT = 5;

/** `cells` are those of operations that overlap the window. */
export function timelineOf(
  cells: readonly StoredCell[],
  options: ResolvedOptions,
  query: TimelineQuery,
  window: ResolvedWindow,
  nowMs: number,
): Timeline {
  const stepMs = stepOf(options, query, window, nowMs);
  const firstMs = Math.floor(window.fromMs / stepMs) * stepMs;
  const steps = Array.from({ length: Math.ceil((window.toMs - firstMs) / stepMs) }, (): Step => ({
    histogram: undefined,
    succeeded: 0,
    failed: 0,
    ignored: 0,
  }));
  for (const cell of cells) {
    if (query.operation !== undefined && cell.name !== query.operation) continue;
    const step = steps[Math.max(0, Math.floor((cell.startMs - firstMs) / stepMs))];
    if (step !== undefined) addToStep(step, cell, options);
  }
  const movingPoints = Math.max(1, Math.floor(query.movingPoints ?? MOVING_POINTS_DEFAULT));
  return { stepMs, points: pointsOf(steps, firstMs, stepMs, movingPoints) };
}

function addToStep(step: Step, cell: StoredCell, options: ResolvedOptions): void {
  const outcomeClass = options.classify(cell.name, cell.labels);
  if (outcomeClass === "ignored") {
    step.ignored += cell.count;
    return;
  }
  if (outcomeClass === "success") step.succeeded += cell.count;
  else step.failed += cell.count;
  step.histogram ??= new Histogram();
  addCell(step.histogram, cell);
}

/** A whole number of the widest bucket that the window may meet, at most POINTS_MAX of them. */
function stepOf(
  options: ResolvedOptions,
  query: TimelineQuery,
  { fromMs, toMs }: ResolvedWindow,
  nowMs: number,
): number {
  const stored =
    options.tiers.find(({ keepMs }) => nowMs - fromMs <= keepMs) ?? options.tiers.at(-1);
  const unitMs = stored?.resolutionMs ?? 1;
  const wantedMs = query.stepMs ?? (toMs - fromMs) / POINTS_DEFAULT;
  const leastMs = (toMs - fromMs) / POINTS_MAX;
  return Math.max(1, Math.ceil(Math.max(wantedMs, leastMs) / unitMs)) * unitMs;
}

function pointsOf(
  steps: readonly Step[],
  firstMs: number,
  stepMs: number,
  movingPoints: number,
): TimelinePoint[] {
  let movingSum = 0;
  let movingCount = 0;
  return steps.map((step, index) => {
    movingSum += step.histogram?.sum ?? 0;
    movingCount += step.histogram?.count ?? 0;
    const left = steps[index - movingPoints]?.histogram;
    movingSum -= left?.sum ?? 0;
    movingCount -= left?.count ?? 0;
    const { histogram, succeeded, failed, ignored } = step;
    return {
      atMs: firstMs + index * stepMs,
      succeeded,
      failed,
      ignored,
      averageMs: histogram === undefined ? null : histogram.sum / histogram.count,
      movingAverageMs: movingCount === 0 ? null : movingSum / movingCount,
      p95Ms: histogram?.quantile(0.95) ?? null,
      maxMs: histogram?.max ?? null,
    };
  });
}
