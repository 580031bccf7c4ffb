import { ensureStateDirectory, ManagedServer } from "@holdfast/chroma";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import { isRunning, KernelLock, startTimeOf } from "@holdfast/sqlite";
import { KeeperDatabase, type KeeperState } from "./keeper-database.ts";

const STOP_LIMIT_MS = 30_000;
const STRANGE_LIMIT_MS = 5_000;
const POLL_MS = 50;

/** Keeps the server running although nobody uses it, or lets it go again. */
export function pinKeeper(dataDirectory: string, pinned: boolean): void {
  const { stateDirectory } = ensureStateDirectory(dataDirectory);
  using database = KeeperDatabase.open(stateDirectory);
  database.pin(pinned);
}

/**
 * Ends keeper and server, whoever uses them, and resolves when both are gone: with whether there
 * was anything to end. A server that a killed keeper left is ended as well.
 * @throws ServerError `SERVER_FOREIGN`; HoldfastError `SERVER_LOCKED` when a process that is no
 * keeper manages the directory.
 */
export async function stopKeeper(
  dataDirectory: string,
  clock: Clock = systemClock,
): Promise<boolean> {
  const { stateDirectory, keeperLock } = ensureStateDirectory(dataDirectory);
  using database = KeeperDatabase.open(stateDirectory);
  const held = KernelLock.isHeld(keeperLock);
  if (held) await endKeepers(dataDirectory, keeperLock, database, clock);
  const evicted = await new ManagedServer({ dataDirectory }, { clock }).evict();
  return held || evicted;
}

/** Whether the recorded process is still that process: a number alone may be another's by now. */
function isKeeper(state: KeeperState): state is KeeperState & { pid: number } {
  const { pid, phase, processStart } = state;
  return pid !== undefined && phase !== "stopped" && lives({ pid, processStart });
}

interface KeeperProcess {
  pid: number;
  processStart: string | undefined;
}

function lives({ pid, processStart }: KeeperProcess): boolean {
  return isRunning(pid) && startTimeOf(pid) === processStart;
}

/** Ends whichever keeper holds the lock, until nobody does: another may have waited for it. */
async function endKeepers(
  dataDirectory: string,
  keeperLock: string,
  database: KeeperDatabase,
  clock: Clock,
): Promise<void> {
  let told: (KeeperProcess & { at: number }) | undefined;
  let strangeSince = clock.monotonic();
  for (; KernelLock.isHeld(keeperLock); await clock.sleep(POLL_MS)) {
    const now = clock.monotonic();
    const state = database.read();
    if (!isKeeper(state)) {
      // A dying process keeps its lock for a moment, and a new one has it before it says so.
      if (now - strangeSince > STRANGE_LIMIT_MS) throw notOurs(dataDirectory);
      continue;
    }
    strangeSince = now;
    if (told?.pid !== state.pid) {
      database.drain();
      send(state.pid, "SIGTERM");
      told = { pid: state.pid, processStart: state.processStart, at: now };
    } else if (now - told.at > STOP_LIMIT_MS) {
      send(state.pid, "SIGKILL");
    }
  }
  if (told !== undefined) await untilGone(told, clock);
}

/** The lock is given back before the process has put away all the rest. */
async function untilGone(keeper: KeeperProcess & { at: number }, clock: Clock): Promise<void> {
  for (; lives(keeper); await clock.sleep(POLL_MS)) {
    if (clock.monotonic() - keeper.at > STOP_LIMIT_MS) send(keeper.pid, "SIGKILL");
  }
}

/** It may have ended by itself this moment. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function notOurs(dataDirectory: string): HoldfastError {
  return new HoldfastError(`A process that is no keeper manages ${dataDirectory}`, {
    code: "SERVER_LOCKED",
    hint: "It is probably a demo, a test or another container: end it where it runs.",
  });
}
