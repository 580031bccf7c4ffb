import type { CheckStatus, HealthCheck } from "../check.ts";

/** `unknown`: what there is to know is too old, or nobody looked. */
export type ServiceStatus =
  | "healthy"
  | "degraded"
  | "unhealthy"
  | "recovering"
  | "offline"
  | "unknown";

export interface CheckStanding {
  status: CheckStatus;
  severity: NonNullable<HealthCheck["severity"]>;
  /** It failed before, and passes too short a time to be believed. */
  returning?: boolean;
}

/**
 * A service's status by its checks: the severest failure decides; else a check without fresh
 * evidence makes it unknown; else one that comes back, recovering; else a warning, degraded.
 * Without any check it is unknown.
 */
export function serviceStatus(standing: readonly CheckStanding[]): ServiceStatus {
  const checks = standing.filter(({ severity }) => severity !== "none");
  const failed = (severity: CheckStanding["severity"]): boolean =>
    checks.some((check) => check.status === "fail" && check.severity === severity);
  if (checks.length === 0) return "unknown";
  if (failed("offline")) return "offline";
  if (failed("unhealthy")) return "unhealthy";
  if (checks.some(({ status, severity }) => status === "unknown" && severity !== "degraded")) {
    return "unknown";
  }
  if (checks.some(({ returning }) => returning === true)) return "recovering";
  if (checks.some(({ status }) => status !== "pass")) return "degraded";
  return "healthy";
}

const FROM_WORST: readonly ServiceStatus[] = [
  "offline",
  "unhealthy",
  "unknown",
  "recovering",
  "degraded",
  "healthy",
];

/** The worst of several; `unknown` of none. */
export function worstStatus(statuses: readonly ServiceStatus[]): ServiceStatus {
  return FROM_WORST.find((status) => statuses.includes(status)) ?? "unknown";
}
