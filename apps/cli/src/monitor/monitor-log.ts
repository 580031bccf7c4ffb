import { join } from "node:path";
import type { SupervisorEvent } from "@holdfast/recovery";
import { openLog } from "../keeper/keeper-log.ts";

function monitorLogFile(stateDirectory: string): string {
  return join(stateDirectory, "monitor.log");
}

/** What a monitor sees and does, for whoever asks later: its screen is gone by then. */
export function monitorLog(stateDirectory: string): {
  see: (event: SupervisorEvent) => void;
  note: (line: string) => void;
} {
  const { logger, rotate } = openLog(monitorLogFile(stateDirectory), "monitor");
  return {
    see(event) {
      rotate();
      if (event.type === "checked") {
        for (const { check, service, last } of event.report.checks)
          if (last.status !== "pass")
            logger.warn({ check, service, last }, "a check does not pass");
      } else if (event.type === "status") {
        logger.info({ from: event.from, to: event.to }, event.type);
      } else logger[event.type === "recovered" ? "info" : "warn"]({ ...event }, event.type);
    },
    note: (line) => logger.info({}, line),
  };
}
