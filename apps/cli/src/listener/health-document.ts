import type { CheckReport, HealthReport } from "@holdfast/recovery";

/** Whether requests should be sent to the service. */
export function isServing({ status }: HealthReport): boolean {
  return status === "healthy" || status === "degraded" || status === "recovering";
}

/**
 * A report as `application/health+json`: Inadarei, "Health Check Response Format for HTTP APIs",
 * draft-inadarei-api-health-check-06.
 */
export function healthDocument(report: HealthReport, version: string): object {
  return {
    status: overall(report),
    version: "1",
    releaseId: version,
    serviceId: "holdfast",
    description: "memory for agents, on Chroma",
    output: outputOf(report.checks),
    // Its own word: the standard knows three.
    holdfastStatus: report.status,
    checks: Object.fromEntries(report.checks.map((check) => [keyOf(check), [component(check)]])),
  };
}

function overall({ status }: HealthReport): "pass" | "warn" | "fail" {
  if (status === "healthy") return "pass";
  return status === "degraded" || status === "recovering" ? "warn" : "fail";
}

function component({ status, last, since }: CheckReport): object {
  return {
    componentType: "component",
    status: status === "unknown" ? "warn" : status,
    observedValue: last.tookMs,
    observedUnit: "ms",
    time: new Date(last.at).toISOString(),
    since: new Date(since).toISOString(),
    ...(status === "pass" ? {} : { output: last.message }),
  };
}

function outputOf(checks: readonly CheckReport[]): string {
  const telling = checks.filter(({ status }) => status !== "pass");
  return telling.map(({ check, last }) => `${check}: ${last.message}`).join("; ");
}

const keyOf = ({ service, check }: CheckReport): string => `${service}:${check}`;
