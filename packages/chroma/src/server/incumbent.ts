import { join } from "node:path";
import type { Clock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import { commandLineOf, hasOpen, processStartOf, writersOf } from "./process-table.ts";
import { ServerError } from "./server-error.ts";
import { readServerRecord, removeServerRecord, type ServerRecord } from "./server-record.ts";
import type { StatePaths } from "./state-directory.ts";
import { isAlive, stopSignalsOf, terminate } from "./terminate.ts";

const LOCK_WAIT_MS = 2_000;

export interface IncumbentDeps {
  clock: Clock;
  /** Whether the recorded server answers a real round trip on its own port. */
  answers: (record: ServerRecord) => Promise<boolean>;
  stopTimeoutMs: number;
  logger: { warn(fields: object, message: string): void } | undefined;
}

/**
 * Makes sure that nobody serves the directory but, perhaps, a healthy server of ours, which is
 * returned for adoption. A server of ours that does not answer, or that was never recorded, is
 * ended. The caller holds the keeper's lock.
 * @throws ServerError `SERVER_FOREIGN` when somebody else's process has the directory open.
 */
export async function resolveIncumbent(
  paths: StatePaths,
  deps: IncumbentDeps,
): Promise<ServerRecord | undefined> {
  const database = join(paths.dataDirectory, "chroma.sqlite3");
  const record = readServerRecord(paths.dataDirectory);
  if (record !== undefined && isAlive(record) && isOurs(record, paths, database)) {
    if (record.ready && (await deps.answers(record))) {
      refuseForeign(paths, database, record.pid);
      return record;
    }
    deps.logger?.warn({ pid: record.pid }, "ending a Chroma that a dead keeper left");
    await terminate(record, stopSignalsOf(record.build.version), deps.stopTimeoutMs, deps.clock);
  }
  removeServerRecord(paths.dataDirectory);
  for (const pid of writersOf(database)) await endIfOurs(pid, paths, deps);
  refuseForeign(paths, database, undefined);
  return undefined;
}

/** A pid is used again: the process must be running our configuration or holding our files. */
function isOurs(record: ServerRecord, paths: StatePaths, database: string): boolean {
  return runsOurConfig(record.pid, paths) ?? hasOpen(record.pid, database) ?? true;
}

/** Killed between the server's start and the record of it, a keeper leaves an unrecorded one. */
async function endIfOurs(pid: number, paths: StatePaths, deps: IncumbentDeps): Promise<void> {
  const processStart = processStartOf(pid);
  if (processStart === undefined || runsOurConfig(pid, paths) !== true) return;
  deps.logger?.warn({ pid }, "ending an unrecorded Chroma of ours");
  await terminate({ pid, processStart }, ["SIGTERM", "SIGINT"], deps.stopTimeoutMs, deps.clock);
}

function runsOurConfig(pid: number, paths: StatePaths): boolean | undefined {
  return commandLineOf(pid)?.includes(paths.serverConfig);
}

function refuseForeign(paths: StatePaths, database: string, ours: number | undefined): void {
  const pid = writersOf(database).find((writer) => writer !== ours);
  if (pid !== undefined) {
    const command = commandLineOf(pid)?.join(" ").slice(0, 200) ?? "unknown command";
    throw new ServerError(
      `Process ${pid} (${command}) has ${paths.dataDirectory} open; ` +
        "a second server would destroy its vectors",
      {
        code: "SERVER_FOREIGN",
        pid,
        hint: `End that process (kill ${pid}), or configure its host and port instead of a managed server.`,
      },
    );
  }
  if (ours !== undefined) return;
  // One of ours that has just been ended may keep its lock for a moment.
  using free = KernelLock.tryAcquire(paths.serverLock, LOCK_WAIT_MS);
  if (free === undefined) {
    throw new ServerError(
      `A Chroma server in another container, or of another user, serves ${paths.dataDirectory}`,
      {
        code: "SERVER_FOREIGN",
        hint: "Stop it where it runs, or give each container a data directory of its own.",
      },
    );
  }
}
