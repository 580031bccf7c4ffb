import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import { finishReplacement } from "../repairs/replace-directory.ts";
import { setReplayable } from "../repairs/keep-replayable.ts";
import { admitBuild } from "./build-history.ts";
import { recordExit } from "./exit-history.ts";
import { findServer } from "./find-server.ts";
import { launchUntilReady } from "./launch-until-ready.ts";
import {
  MANAGED_SERVER_DEFAULTS,
  type ManagedServerDeps,
  type ManagedServerOptions,
  type RunningServer,
  type ServerLogger,
} from "./managed-server-options.ts";
import { type IncumbentDeps, resolveIncumbent } from "./incumbent.ts";
import { roundTrip } from "./round-trip.ts";
import { listensOn } from "./process-table.ts";
import { cannotStart, ServerError } from "./server-error.ts";
import { rotateServerLog, tailServerLog } from "./server-log.ts";
import type { ServerProgram } from "./server-program.ts";
import { readServerRecord, removeServerRecord, type ServerRecord } from "./server-record.ts";
import { ensureStateDirectory, type StatePaths, statePathsOf } from "./state-directory.ts";
import { stopSignalsOf, terminate } from "./terminate.ts";
import { LOG_TAIL_LINES } from "./until-ready.ts";
import { type ServerExit, watchProcess } from "./watch-process.ts";

const ADOPT_LIMIT_MS = 5_000;

interface Watched {
  record: ServerRecord;
  adopted: boolean;
  watch: ReturnType<typeof watchProcess>;
}

/**
 * One Chroma server for one data directory, under one lock: whoever holds it is the only one to
 * start, restart or stop a server there. It listens on loopback only. Calls must not overlap.
 */
export class ManagedServer implements AsyncDisposable {
  readonly dataDirectory: string;
  readonly #options: ManagedServerOptions;
  readonly #clock: Clock;
  readonly #logger: ServerLogger | undefined;
  readonly #beforeLaunch: ManagedServerDeps["beforeLaunch"];
  readonly #crashListeners = new Set<(exit: ServerExit) => void>();
  #lock: KernelLock | undefined;
  #program: ServerProgram | undefined;
  #current: Watched | undefined;

  constructor(options: ManagedServerOptions, deps: ManagedServerDeps = {}) {
    this.#options = options;
    this.dataDirectory = statePathsOf(options.dataDirectory).dataDirectory;
    this.#clock = deps.clock ?? systemClock;
    this.#logger = deps.logger;
    this.#beforeLaunch = deps.beforeLaunch;
  }

  /** The server under our care; undefined before `start`, after a crash and after a stop. */
  get running(): RunningServer | undefined {
    if (this.#current === undefined) return undefined;
    const { record, adopted } = this.#current;
    const { host, port, incarnation, pid, build, startedAt } = record;
    return { host, port, incarnation, pid, build, startedAt, adopted };
  }

  /** Called at once when the server ends without having been asked to. Returns the way to undo. */
  onCrash(listener: (exit: ServerExit) => void): () => void {
    this.#crashListeners.add(listener);
    return () => this.#crashListeners.delete(listener);
  }

  /**
   * Takes the right to manage the directory, until `release` or `stop`. Idempotent.
   * @throws ServerError `SERVER_LOCKED` when another process has it; `SERVER_START_FAILED` when the
   * directory cannot be made or written.
   */
  claim(): StatePaths {
    const claimedBefore = this.#lock !== undefined;
    try {
      return this.#claim();
    } catch (error) {
      if (!claimedBefore) this.release();
      throw cannotStart(error, this.dataDirectory);
    }
  }

  /**
   * Nothing that was claimed may be touched any more when the lock's folder was moved or deleted:
   * another process is then given the right to manage the same directory.
   * @throws ServerError `SERVER_LOCKED`.
   */
  requireClaim(): void {
    if (this.#lock === undefined || this.#lock.isInPlace()) return;
    throw new ServerError(`${dirname(this.#lock.path)} was moved or deleted by somebody`, {
      code: "SERVER_LOCKED",
      hint: "Put it back: memories that the store does not have yet are in it alone.",
    });
  }

  #claim(): StatePaths {
    this.requireClaim();
    const paths = ensureStateDirectory(this.dataDirectory);
    this.#lock ??= KernelLock.tryAcquire(paths.keeperLock, this.#options.lockWaitMs ?? 2_000);
    if (this.#lock !== undefined) {
      // A repair that was killed between its two renames: nothing may take its place.
      finishReplacement(this.dataDirectory);
      mkdirSync(this.dataDirectory, { recursive: true, mode: 0o700 });
      return paths;
    }
    throw new ServerError(`Another process manages the Chroma server of ${this.dataDirectory}`, {
      code: "SERVER_LOCKED",
      retryable: true,
      hint: "Use that server (holdfast server status), or stop it with: holdfast server stop",
    });
  }

  /**
   * Starts the server, or adopts the healthy one that a dead keeper left, and resolves after a
   * real round trip. Idempotent while it runs. On failure no process of ours is left.
   * @throws ServerError any but `SERVER_NOT_RUNNING`; the signal's reason.
   */
  async start(signal?: AbortSignal): Promise<RunningServer> {
    if (this.#current !== undefined) return this.running as RunningServer;
    const claimedBefore = this.#lock !== undefined;
    const paths = this.claim();
    try {
      const incumbent = await resolveIncumbent(paths, {
        ...this.#incumbentDeps(),
        answers: (record) => this.#answers(record),
      });
      if (incumbent !== undefined) return this.#take(incumbent, undefined, true);
      this.#program ??= await findServer({
        ...this.#options.find,
        ...(this.#options.command === undefined ? {} : { command: this.#options.command }),
        ...(signal === undefined ? {} : { signal }),
      });
      await this.#beforeLaunch?.(paths);
      mkdirSync(this.dataDirectory, { recursive: true, mode: 0o700 });
      admitBuild(this.dataDirectory, this.#program.build);
      const keep = this.#options.keepReplayable;
      const isSaid = keep === undefined || setReplayable(this.dataDirectory, keep);
      const started = await this.#launch(this.#program, paths, signal);
      // A new database purges by itself; that it shall not can be said only once it is there.
      if (isSaid || !keep) return started;
      await this.halt();
      setReplayable(this.dataDirectory, keep);
      return await this.#launch(this.#program, paths, signal);
    } catch (error) {
      if (!claimedBefore) this.release();
      throw cannotStart(error, this.dataDirectory);
    }
  }

  /** Ends the server and keeps the right to manage the directory. Idempotent. */
  async halt(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    current.watch.expectExit();
    const by = await terminate(
      current.record,
      stopSignalsOf(current.record.build.version),
      this.#stopTimeoutMs,
      this.#clock,
    );
    // Without the lock in its place, the record there is another's.
    if (this.#lock?.isInPlace() !== false) removeServerRecord(this.dataDirectory);
    this.#logger?.info({ pid: current.record.pid, by }, "Chroma stopped");
  }

  /** Ends the server, if it runs, and lets go of the directory. Idempotent. */
  async stop(): Promise<void> {
    await this.halt();
    this.release();
  }

  /**
   * Ends whatever server of ours runs on the directory, one left by a dead keeper included, and
   * lets go of the directory. Resolves with whether there was one.
   * @throws ServerError `SERVER_LOCKED` or `SERVER_FOREIGN`.
   */
  async evict(): Promise<boolean> {
    try {
      return await this.clear();
    } finally {
      this.release();
    }
  }

  /** As `evict`, but keeps the right to manage the directory. */
  async clear(): Promise<boolean> {
    const paths = this.claim();
    const left = this.#current !== undefined || readServerRecord(this.dataDirectory) !== undefined;
    await this.halt();
    await resolveIncumbent(paths, { ...this.#incumbentDeps(), answers: async () => false });
    return left;
  }

  /**
   * Lets go of the directory and leaves the server running, if it does, for the next keeper to
   * adopt. Idempotent.
   */
  release(): void {
    this.#current?.watch.expectExit();
    this.#current = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Rotates the server's log when it has grown past its bound. Cheap; call it now and then. */
  rotateLog(): boolean {
    return rotateServerLog(statePathsOf(this.dataDirectory).serverLog);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #incumbentDeps(): Omit<IncumbentDeps, "answers"> {
    return { clock: this.#clock, stopTimeoutMs: this.#stopTimeoutMs, logger: this.#logger };
  }

  get #stopTimeoutMs(): number {
    return this.#options.stopTimeoutMs ?? 3_000;
  }

  async #launch(
    program: ServerProgram,
    paths: StatePaths,
    signal: AbortSignal | undefined,
  ): Promise<RunningServer> {
    const { startTimeoutMs = 60_000 } = this.#options;
    const {
      allowReset = MANAGED_SERVER_DEFAULTS.allowReset,
      orphanMs = MANAGED_SERVER_DEFAULTS.orphanMs,
    } = this.#options;
    const stopTimeoutMs = this.#stopTimeoutMs;
    const options = { allowReset, orphanMs, startTimeoutMs, stopTimeoutMs, signal };
    const { record, watch } = await launchUntilReady(program, paths, options, this.#clock);
    this.#logger?.info({ ...record }, "Chroma started");
    return this.#take(record, watch, false);
  }

  #take(
    record: ServerRecord,
    watch: Watched["watch"] | undefined,
    adopted: boolean,
  ): RunningServer {
    const current: Watched = {
      record,
      adopted,
      watch: watch ?? watchProcess(record, undefined, this.#clock),
    };
    this.#current = current;
    void current.watch.crashed.then((exit) => this.#onExit(current, exit));
    if (adopted) this.#logger?.info({ ...record }, "Chroma adopted");
    return this.running as RunningServer;
  }

  #onExit(current: Watched, exit: Omit<ServerExit, "logTail">): void {
    if (this.#current !== current) return;
    this.#current = undefined;
    const { code = null, signal = null, ranMs } = exit;
    try {
      this.requireClaim();
      removeServerRecord(this.dataDirectory);
      recordExit(this.dataDirectory, { code, signal, ranMs, ready: true }, this.#clock);
    } catch (error) {
      // A full disk may be why it ended: whoever waits to hear of that must hear of it.
      this.#logger?.warn({ error }, "the end of Chroma could not be kept");
    }
    const paths = statePathsOf(this.dataDirectory);
    const full = { ...exit, logTail: tailServerLog(paths.serverLog, LOG_TAIL_LINES) };
    this.#logger?.warn({ ...full }, "Chroma ended unasked");
    for (const listener of this.#crashListeners) listener(full);
  }

  async #answers(record: ServerRecord): Promise<boolean> {
    try {
      await roundTrip(record, AbortSignal.timeout(ADOPT_LIMIT_MS));
      return listensOn(record.pid, record.port) ?? true;
    } catch (error) {
      this.#logger?.warn({ pid: record.pid, error }, "the recorded Chroma does not answer");
      return false;
    }
  }
}
