import type { CheckReport, HealthReport } from "../health/health-loop.ts";

/** It does its work, though perhaps not all of it. */
export function serves({ status }: HealthReport): boolean {
  return status === "healthy" || status === "degraded";
}

export function isDown({ status }: HealthReport): boolean {
  return status === "offline" || status === "unhealthy";
}

/** What decides a report's status, in one line: of a service that nothing answers for, that alone. */
export function causeOf({ status, checks }: HealthReport): string {
  const failed = (severity: CheckReport["severity"]): CheckReport[] =>
    checks.filter((check) => check.status === "fail" && check.severity === severity);
  const [offline, unhealthy] = [failed("offline"), failed("unhealthy")];
  const lesser = checks.filter((check) => check.status !== "pass" && check.severity !== "none");
  const deciding = [offline, unhealthy, lesser].find((each) => each.length > 0) ?? [];
  if (deciding.length === 0) return `it is ${status}`;
  return deciding.map(({ check, last }) => `${check}: ${last.message}`).join("; ");
}
