/** What of a folder of backups is kept. */
export interface Retention {
  /** The newest so many. */
  last: number;
  /** The newest of each of so many days, weeks (from Monday) and months that have one; UTC. */
  daily: number;
  weekly: number;
  monthly: number;
}

/** The defaults of `backup.keep_*`. */
export const RETENTION_DEFAULTS: Retention = { last: 7, daily: 7, weekly: 4, monthly: 6 };

export interface Retained {
  id: string;
  /** Wall-clock milliseconds. */
  madeAt: number;
  /** The backup that this one continues. */
  base: string | undefined;
}

const DAY_MS = 86_400_000;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY = 4;

/**
 * The ids to keep: what the retention names, `always`, and every backup that one of these needs.
 */
export function retained(
  backups: readonly Retained[],
  retention: Retention,
  always: readonly string[],
): Set<string> {
  const newestFirst = backups.toSorted((a, b) => b.madeAt - a.madeAt);
  const keep = new Set(always);
  for (const { id } of newestFirst.slice(0, retention.last)) keep.add(id);
  const periods: [number, (at: number) => string | number][] = [
    [retention.daily, (at) => Math.floor(at / DAY_MS)],
    [retention.weekly, (at) => Math.floor((Math.floor(at / DAY_MS) - FIRST_MONDAY) / 7)],
    [retention.monthly, (at) => new Date(at).toISOString().slice(0, 7)],
  ];
  for (const [count, periodOf] of periods) {
    const seen = new Set<string | number>();
    for (const { id, madeAt } of newestFirst) {
      const period = periodOf(madeAt);
      if (seen.has(period) || seen.size === count) continue;
      seen.add(period);
      keep.add(id);
    }
  }
  const byId = new Map(backups.map((backup) => [backup.id, backup]));
  for (const id of keep) {
    const base = byId.get(id)?.base;
    // A set is walked to its end, also what is added on the way.
    if (base !== undefined) keep.add(base);
  }
  return keep;
}
