import type { ServiceStatus } from "@holdfast/recovery";
import { EXIT, type ExitStatus } from "../exit-codes.ts";

/** 0 when all is well, 13 when memory cannot be used as it should, 3 for anything between. */
export function exitStatusOf(status: ServiceStatus): ExitStatus {
  if (status === "offline" || status === "unhealthy") return EXIT.unavailable;
  return status === "healthy" ? EXIT.ok : EXIT.degraded;
}
