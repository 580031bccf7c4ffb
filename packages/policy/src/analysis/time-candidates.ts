import { minutesOfDay, parseTime } from "../evaluate/time-of-day.ts";
import type { LeafCondition } from "../rule.ts";

type TimeRange = Extract<LeafCondition, { type: "time_range" }>;

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 1_440;
/** Far from any change of clocks, in either half of the year. */
const DAYS = [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)];

/**
 * Instants that tell time ranges apart: the given one, and on a winter's and a summer's day each
 * start and end, and the minute before it, on the clocks it is meant for.
 */
export function instantsOf(
  ranges: readonly TimeRange[],
  { now, timezone }: { now: number; timezone: string },
): number[] {
  if (ranges.length === 0) return [now];
  const instants = [now];
  for (const range of ranges) {
    const zone = range.timezone ?? timezone;
    for (const day of DAYS) {
      const minutesAtStart = minutesOfDay(day, zone);
      for (const time of [range.start_time, range.end_time]) {
        const later = (parseTime(time) - minutesAtStart + MINUTES_A_DAY) % MINUTES_A_DAY;
        instants.push(day + later * MINUTE_MS, day + (later - 1) * MINUTE_MS);
      }
    }
  }
  return instants;
}
