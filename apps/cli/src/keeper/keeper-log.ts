import { renameSync, statSync } from "node:fs";
import { join } from "node:path";
import pino, { type Logger } from "pino";

export type KeeperLogger = Pick<Logger, "info" | "warn" | "error">;

/** Past this many bytes a log is rotated; one older generation (`.1`) is kept. */
const BYTES_MAX = 4 * 1024 * 1024;

export function keeperLogFile(stateDirectory: string): string {
  return join(stateDirectory, "keeper.log");
}

/**
 * A structured log, one JSON object a line, 0600; each line names this process as `who`. `rotate` is
 * cheap; call it now and then.
 */
export function openLog(
  file: string,
  who: "keeper" | "monitor",
): { logger: KeeperLogger; rotate: () => void } {
  const destination = pino.destination({ dest: file, sync: true, mode: 0o600 });
  // What a full disk does not take of a log must end nobody; pino writes it when there is room again.
  destination.on("error", () => undefined);
  const rotate = (): void => {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= BYTES_MAX) return;
    renameSync(file, `${file}.1`);
    destination.reopen();
  };
  rotate();
  return {
    logger: pino({ base: { [who]: process.pid }, errorKey: "error" }, destination),
    rotate,
  };
}
