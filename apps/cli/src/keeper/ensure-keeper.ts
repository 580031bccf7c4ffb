import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  ensureStateDirectory,
  managedEndpoint,
  readServerRecord,
  type ServerEndpoint,
  tailServerLog,
} from "@holdfast/chroma";
import { type Clock, formatDuration, HoldfastError, systemClock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import type { KeeperArguments } from "./keeper-arguments.ts";
import { KeeperDatabase, type KeeperFailure, type KeeperState } from "./keeper-database.ts";
import { keeperLogFile } from "./keeper-log.ts";

export interface EnsureKeeperOptions extends KeeperArguments {
  /** Milliseconds to wait while the keeper reports no progress. Default 60000. */
  patienceMs?: number;
  /** Told what the keeper is doing while it is waited for. */
  onProgress?: (state: KeeperState) => void;
  signal?: AbortSignal;
}

/** The right to use a managed store: as long as it is held, its keeper does not stop for idleness. */
export interface KeeperUse extends Disposable {
  /** Where the server answers now; asked anew each time, since a restart moves it. */
  endpoint(): Promise<ServerEndpoint>;
  /** Gives the right back. Idempotent. */
  release(): void;
}

const ROW_MS = 30_000;
const RENEW_MS = 10_000;
const POLL_MS = 40;
const LOG_TAIL_LINES = 5;

/**
 * Resolves when the data directory has a keeper and its server answers, starting the keeper when
 * there is none, and holds it in use until released. Of many processes that ask at once, one
 * keeper results. The keeper outlives the caller.
 * @throws HoldfastError with the code of what the keeper failed with (`SERVER_FOREIGN`,
 * `HEAL_REFUSED` …), `KEEPER_FAILED` or `KEEPER_TIMEOUT`; the signal's reason.
 */
export async function ensureKeeper(
  options: EnsureKeeperOptions,
  clock: Clock = systemClock,
): Promise<KeeperUse> {
  const paths = ensureStateDirectory(options.dataDirectory);
  const database = KeeperDatabase.open(paths.stateDirectory, clock);
  const token = randomUUID();
  try {
    await untilReady(options, { paths, database, token, clock });
  } catch (error) {
    database.leave(token);
    database.close();
    throw error;
  }
  return holdUse(options, database, token);
}

interface Waiting {
  paths: ReturnType<typeof ensureStateDirectory>;
  database: KeeperDatabase;
  token: string;
  clock: Clock;
}

async function untilReady(options: EnsureKeeperOptions, waiting: Waiting): Promise<void> {
  const { paths, database, token, clock } = waiting;
  // Not told from a new one by its time: the clock may be set meanwhile.
  const earlier = database.read().failure?.at;
  const patienceMs = options.patienceMs ?? 60_000;
  let spawned: ChildProcess | undefined;
  let progressAt = clock.monotonic();
  let seen = "";
  for (; ; await clock.sleep(POLL_MS, options.signal)) {
    options.signal?.throwIfAborted();
    const attached = database.use(token, process.pid, ROW_MS);
    const state = database.read();
    if (KernelLock.isHeld(paths.keeperLock)) {
      if (attached && serves(options.dataDirectory, state)) return;
    } else if (state.failure !== undefined && state.failure.at !== earlier) {
      throw failed(state.failure);
    } else if (spawned === undefined || hasEnded(spawned)) {
      if (spawned !== undefined && spawned.exitCode !== 0) throw died(spawned, paths);
      spawned = await spawnKeeper(options, paths);
    }
    const now = `${state.phase} ${state.detail}`;
    if (now !== seen) {
      seen = now;
      progressAt = clock.monotonic();
      options.onProgress?.(state);
    }
    if (clock.monotonic() - progressAt > patienceMs) throw timedOut(state, patienceMs);
  }
}

const UNREADY: readonly KeeperState["phase"][] = [
  "starting",
  "installing",
  "healing",
  "restarting",
  "stopping",
];

/** A server that somebody else manages, a test say, is recorded too, without a keeper's phase. */
function serves(dataDirectory: string, { phase }: KeeperState): boolean {
  return !UNREADY.includes(phase) && readServerRecord(dataDirectory)?.ready === true;
}

function holdUse(options: EnsureKeeperOptions, database: KeeperDatabase, token: string): KeeperUse {
  let released = false;
  const renewal = setInterval(() => {
    try {
      database.use(token, process.pid, ROW_MS);
    } catch (error) {
      // The disk is full, say. The row outlasts two renewals, and what a timer throws ends the process.
      if (!(error instanceof HoldfastError)) throw error;
    }
  }, RENEW_MS);
  renewal.unref();
  const release = (): void => {
    if (released) return;
    released = true;
    clearInterval(renewal);
    database.leave(token);
    database.close();
  };
  return {
    endpoint: managedEndpoint(options.dataDirectory),
    release,
    [Symbol.dispose]: release,
  };
}

/** A process of its own session, in no folder that anybody may want to remove. */
async function spawnKeeper(
  options: EnsureKeeperOptions,
  paths: Waiting["paths"],
): Promise<ChildProcess> {
  const { configFile, again, fileAlone, dataDirectory, healthIntervalMs, idleTimeoutMs } = options;
  const told: KeeperArguments = {
    configFile,
    ...(again === undefined ? {} : { again }),
    ...(fileAlone === undefined ? {} : { fileAlone }),
    dataDirectory,
    ...(healthIntervalMs === undefined ? {} : { healthIntervalMs }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  };
  const source = import.meta.url.endsWith(".ts");
  const entry = new URL(source ? "./keeper-main.ts" : "./keeper-main.js", import.meta.url);
  const log = openSync(keeperLogFile(paths.stateDirectory), "a", 0o600);
  try {
    const child = spawn(
      process.execPath,
      [
        ...(source ? ["--conditions=@holdfast/source"] : []),
        "--disable-warning=ExperimentalWarning",
        fileURLToPath(entry),
        JSON.stringify(told),
      ],
      { cwd: paths.stateDirectory, detached: true, stdio: ["ignore", log, log] },
    );
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function failed({ code, message, hint }: KeeperFailure): HoldfastError {
  return new HoldfastError(message, { code, ...(hint === undefined ? {} : { hint }) });
}

function died(child: ChildProcess, { stateDirectory }: Waiting["paths"]): HoldfastError {
  const file = keeperLogFile(stateDirectory);
  const tail = tailServerLog(file, LOG_TAIL_LINES).join("\n");
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  return new HoldfastError(`The keeper of the Chroma server ended (${how}): ${tail}`, {
    code: "KEEPER_FAILED",
    // It had no word in it, as one that the system killed for its memory: the next may live.
    retryable: true,
    hint: `See ${file}`,
  });
}

function timedOut({ phase, detail }: KeeperState, patienceMs: number): HoldfastError {
  return new HoldfastError(
    `The keeper of the Chroma server made no progress in ${formatDuration(patienceMs)} (${phase}: ${detail})`,
    {
      code: "KEEPER_TIMEOUT",
      retryable: true,
      hint: "See what it does with: holdfast server status",
    },
  );
}
