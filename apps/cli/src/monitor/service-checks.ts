import type { Config } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { commandCheck, type HealthCheck, httpCheck, tcpCheck } from "@holdfast/recovery";

type Services = Config["health"]["services"];

/** The user's own services, as `health.services` states them. */
export function configuredChecks(services: Services): HealthCheck[] {
  return Object.entries(services).map(([name, service]) => {
    const { timeout, severity } = service;
    const options = {
      name,
      service: name,
      severity,
      ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout) }),
    };
    const { http, tcp, command, expect_status: expectStatus } = service;
    if (command !== undefined) return commandCheck({ ...options, command });
    if (tcp !== undefined) return tcpCheck({ ...options, ...hostAndPort(tcp) });
    const expected = expectStatus === undefined ? {} : { expectStatus };
    return httpCheck({ ...options, url: http ?? "", ...expected });
  });
}

/** `[::1]:8000` names an address in brackets, which a socket takes without. */
function hostAndPort(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(at + 1)) };
}
