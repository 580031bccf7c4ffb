/** What earlier events have used of limits, read at one moment. */
export interface CountersView {
  /** How often the rule has acted for `subject`, and when last, in wall-clock milliseconds. */
  executions(rule: string, subject: string): { count: number; lastAt: number | undefined };
  /** Uses of a `rate_limit` condition after one moment and before another, in wall-clock milliseconds. */
  usesBetween(rule: string, slot: string, subject: string, after: number, before: number): number;
  /** Whether this event has been counted there already: it then counts no second time. */
  counted(rule: string, slot: string, event: string): boolean;
}
