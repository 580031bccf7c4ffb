import type { MetricsStore } from "@holdfast/metrics";
import type { SelfTestReport } from "../recovery/self-test.ts";

const KIND = "self-test";

/** A self-test that was run earlier. */
export interface RecordedSelfTest {
  /** Wall-clock milliseconds. */
  at: number;
  passed: boolean;
  /** By part, how it ended: `passed, …`. */
  parts: Record<string, string>;
}

/** Keeps a self-test's result, for `health --detailed`. Never throws. */
export function recordSelfTest(metrics: MetricsStore, { passed, parts }: SelfTestReport): void {
  const ends = parts.map((part) => [
    part.name,
    `${part.passed ? "passed" : "FAILED"}, ${part.message}`,
  ]);
  metrics.event(KIND, passed ? "passed" : "failed", Object.fromEntries(ends));
}

export function lastSelfTest(metrics: MetricsStore): RecordedSelfTest | undefined {
  const [event] = metrics.events({ since: 0, kinds: [KIND], limit: 1 });
  if (event === undefined) return undefined;
  const ends = Object.entries(event.data).map(([name, end]) => [name, String(end)]);
  return {
    at: event.atMs,
    passed: event.subject === "passed",
    parts: Object.fromEntries(ends) as Record<string, string>,
  };
}
