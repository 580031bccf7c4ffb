import type { HealthReport } from "../health/health-loop.ts";

/** It does its work, though perhaps not all of it. */
export function serves({ status }: HealthReport): boolean {
  return status === "healthy" || status === "degraded";
}

export function isDown({ status }: HealthReport): boolean {
  return status === "offline" || status === "unhealthy";
}

/** The failures that decide, in one line. */
export function causeOf({ status, checks }: HealthReport): string {
  const failed = checks.filter(
    (check) => check.status === "fail" && ["offline", "unhealthy"].includes(check.severity),
  );
  if (failed.length === 0) return `it is ${status}`;
  return failed.map(({ check, last }) => `${check}: ${last.message}`).join("; ");
}
