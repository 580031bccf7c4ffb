import {
  type CheckResult,
  type ServiceStatus,
  serviceStatus,
  worstStatus,
} from "@holdfast/recovery";

/** One service with the checks that were made of it. */
export interface ServiceHealth {
  service: string;
  status: ServiceStatus;
  checks: CheckResult[];
}

/** What `health` answers. */
export interface HealthAnswer {
  status: ServiceStatus;
  /** What decides it, in one line. */
  cause: string;
  /** The next command; undefined when there is nothing to do. */
  next: string | undefined;
  /** Wall-clock milliseconds of the oldest look that it rests on. */
  at: number;
  services: ServiceHealth[];
}

/** Gathers results by service; the worst service decides, and its worst check says why. */
export function answerOf(results: readonly CheckResult[]): HealthAnswer {
  const services = [...Map.groupBy(results, ({ service }) => service)].map(
    ([service, checks]): ServiceHealth => ({ service, status: serviceStatus(checks), checks }),
  );
  const status = worstStatus(services.map((service) => service.status));
  const deciding = services.find((service) => service.status === status);
  const check = deciding?.checks.filter(({ severity }) => severity !== "none").toSorted(byWorst)[0];
  const isFine = status === "healthy" || check === undefined;
  return {
    status,
    cause: isFine ? fine(results) : `${check.check}: ${check.message}`,
    next: isFine ? undefined : (check.hint ?? "holdfast health --detailed"),
    at: Math.min(...results.map(({ at }) => at)),
    services,
  };
}

/** What is foreseen changes no status, and is told all the same. */
function fine(results: readonly CheckResult[]): string {
  const wrong = results.filter(({ status }) => status !== "pass");
  const count = results.length - wrong.length;
  const passing = count === 1 ? "the one check passes" : `all ${count} checks pass`;
  return [passing, ...wrong.map(({ check, message }) => `${check}: ${message}`)].join("; ");
}

const STATUSES = ["fail", "unknown", "warn", "pass"];
const SEVERITIES = ["offline", "unhealthy", "degraded"];

function byWorst(one: CheckResult, other: CheckResult): number {
  return (
    STATUSES.indexOf(one.status) - STATUSES.indexOf(other.status) ||
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity)
  );
}
