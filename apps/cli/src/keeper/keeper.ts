import type { CircuitBreaker } from "@holdfast/breaker";
import {
  type InstallProgress,
  ManagedServer,
  type ManagedServerOptions,
  type ServerExit,
} from "@holdfast/chroma";
import { type Clock, fullJitterMs, HoldfastError, type Random } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import { startTimeOf } from "@holdfast/sqlite";
import type { VectorStore } from "@holdfast/store";
import { sendCanary } from "./canary.ts";
import { closeHalfOpen, isAnyTripped } from "./circuits.ts";
import { moveAsideIfDamaged, rebuildIfLost } from "./heal.ts";
import type { KeeperDatabase, KeeperPhase } from "./keeper-database.ts";
import type { KeeperLogger } from "./keeper-log.ts";
import type { KeeperMetrics } from "./keeper-metrics.ts";

export interface KeeperOptions {
  server: ManagedServerOptions;
  /** Milliseconds without users after which server and keeper stop. Default 900000. */
  idleTimeoutMs?: number;
  /** Milliseconds between canaries while all is well. Default 30000. */
  healthIntervalMs?: number;
}

export interface KeeperDeps {
  memory: Memory;
  store: VectorStore;
  breaker: CircuitBreaker;
  database: KeeperDatabase;
  metrics: KeeperMetrics;
  logger: KeeperLogger;
  clock: Clock;
  random: Random;
  rotateLog?: () => void;
}

const TICK_MS = 250;
const CANARY_LIMIT_MS = 5_000;
/** How soon a canary is sent again while the breaker is open or the last one failed. */
const ANXIOUS_MS = 2_000;
/** A server that lives shorter than this counts as crashing, not as having crashed. */
const QUICK_CRASH_MS = 60_000;
const QUICK_CRASHES_MAX = 5;
const RESTART_BACKOFF = { baseMs: 250, maxMs: 10_000 };
const HUNG_AFTER = 2;

/**
 * Keeps one data directory served: starts Chroma, restarts it when it dies or hangs, heals a torn
 * index, drains the outbox, tells the breaker when the store has healed, and stops when nobody
 * has used the store for a while.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #deps: KeeperDeps;
  readonly #server: ManagedServer;
  #crash: ServerExit | undefined;
  #wake: (() => void) | undefined;
  #quickCrashes = 0;
  #unanswered = 0;
  #nextCheckAt = 0;
  /** The store works again: what waits for a later attempt need not wait. */
  #healed = false;
  #draining: Promise<void> | undefined;
  readonly #stopDraining = new AbortController();
  /** A bug that draining ran into, for the loop to end with. */
  #fault: { error: unknown } | undefined;

  constructor(options: KeeperOptions, deps: KeeperDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#server = new ManagedServer(
      { ...options.server, find: { ...options.server.find, onProgress: this.#onInstall } },
      {
        clock: deps.clock,
        logger: deps.logger,
        beforeLaunch: async ({ dataDirectory }) => {
          const moveAside = (): Promise<boolean> =>
            moveAsideIfDamaged(dataDirectory, deps.memory, deps.logger);
          await deps.metrics.recovery("move-aside", moveAside, (moved) => moved || undefined);
        },
      },
    );
    this.#server.onCrash((exit) => {
      this.#crash = exit;
      this.#wake?.();
    });
  }

  /**
   * Runs until it is idle, `signal` aborts, or it must give up. The server is stopped and the
   * directory released in every case.
   * @throws ServerError `SERVER_LOCKED` when the directory has another keeper; what made it give up.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.#deps;
    this.#server.claim();
    database.begin(process.pid, startTimeOf(process.pid), clock.now());
    let failure: HoldfastError | undefined;
    try {
      await this.#bringUpOrCrash(signal);
      await this.#loop(signal);
    } catch (error) {
      if (!signal.aborted) {
        logger.error({ error }, "the keeper gives up");
        failure = asFailure(error);
        throw error;
      }
    } finally {
      this.#phase("stopping", "stopping the server");
      this.#stopDraining.abort(new Error("the keeper stops"));
      await this.#draining;
      await this.#server.halt();
      database.end(clock.now(), failure && { ...plain(failure), at: clock.now() });
      this.#deps.metrics.close();
      this.#server.release();
      logger.info({}, "the keeper has stopped");
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { database, clock } = this.#deps;
    const idleMs = this.#options.idleTimeoutMs ?? 900_000;
    while (!signal.aborted) {
      if (this.#crash !== undefined) await this.#afterCrash(this.#crash, signal);
      else if (clock.monotonic() >= this.#checkDueAt()) await this.#check(signal);
      this.#startDraining();
      if (this.#fault !== undefined) throw this.#fault.error;
      if (database.drainIfIdle(clock.now(), idleMs)) {
        this.#deps.logger.info({ idleMs }, "nobody uses the store");
        return;
      }
      await this.#sleep(TICK_MS, signal);
    }
  }

  async #bringUp(signal: AbortSignal): Promise<void> {
    const { store, memory, metrics, logger } = this.#deps;
    this.#crash = undefined;
    this.#unanswered = 0;
    await this.#server.start(signal);
    await store.ping({ signal });
    this.#phase("healing", "looking whether the store has lost memories");
    const rebuild = (): Promise<boolean> => rebuildIfLost(store, memory, logger, signal);
    await metrics.recovery("rebuild", rebuild, (rebuilt) => rebuilt || undefined);
    await this.#check(signal);
  }

  /** Two quick crashes in a row mean that starting again will not help by itself. */
  async #afterCrash(exit: ServerExit, signal: AbortSignal): Promise<void> {
    const { clock, random, metrics, logger } = this.#deps;
    metrics.down(`Chroma ended (${ending(exit)})`);
    this.#quickCrashes = exit.ranMs < QUICK_CRASH_MS ? this.#quickCrashes + 1 : 1;
    if (this.#quickCrashes > QUICK_CRASHES_MAX) {
      throw new HoldfastError(
        `Chroma crashed ${this.#quickCrashes} times in a row (${ending(exit)})`,
        { code: "SERVER_CRASH_LOOP", hint: "See its log with: holdfast server logs" },
      );
    }
    const waitMs = fullJitterMs(this.#quickCrashes, RESTART_BACKOFF, random);
    logger.warn({ exit, attempt: this.#quickCrashes, waitMs }, "restarting Chroma");
    this.#phase("restarting", `Chroma ended (${ending(exit)}); starting it again`);
    await clock.sleep(waitMs, signal);
    const restart = (): Promise<void> => this.#bringUpOrCrash(signal);
    await metrics.recovery("restart", restart, () => this.#crash === undefined);
  }

  /** Each start looks at the directory first: see `beforeLaunch`. */
  async #bringUpOrCrash(signal: AbortSignal): Promise<void> {
    try {
      await this.#bringUp(signal);
    } catch (error) {
      if (this.#crash === undefined) throw error;
      this.#deps.logger.warn({ error }, "Chroma ended while it was brought up");
    }
  }

  /** A canary through the store; then the breaker hears of it. */
  async #check(signal: AbortSignal): Promise<void> {
    const { store, memory, breaker, database, metrics, clock, logger, rotateLog } = this.#deps;
    const intervalMs = this.#options.healthIntervalMs ?? 30_000;
    const failedBefore = database.read().phase !== "ready";
    this.#server.rotateLog();
    rotateLog?.();
    const began = clock.monotonic();
    try {
      await sendCanary(store, CANARY_LIMIT_MS);
      metrics.canary(began);
      this.#unanswered = 0;
      this.#nextCheckAt = clock.monotonic() + intervalMs;
      database.setCanary(clock.now());
      this.#phase("ready", "the canary was written, found and deleted");
      this.#healed ||= failedBefore;
      if (!(await breaker.probeNow("canary"))) return;
      await closeHalfOpen(breaker, memory, store, signal);
      this.#healed = true;
      logger.info({ state: breaker.state() }, "a canary ended the breaker's wait");
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      this.#nextCheckAt = clock.monotonic() + Math.min(intervalMs, ANXIOUS_MS);
      logger.warn({ error }, "the canary failed");
      metrics.canary(began, error);
      this.#phase("degraded", error.message);
      if (this.#crash === undefined) await this.#restartIfHung(signal);
    }
  }

  /** Only a server that does not answer at all is restarted: a full disk is not healed by it. */
  async #restartIfHung(signal: AbortSignal): Promise<void> {
    const { store, logger } = this.#deps;
    try {
      await store.ping({ signal, timeoutMs: CANARY_LIMIT_MS });
      this.#unanswered = 0;
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
    }
    this.#unanswered += 1;
    if (this.#unanswered < HUNG_AFTER || this.#crash !== undefined) return;
    logger.warn({ unanswered: this.#unanswered }, "Chroma hangs");
    const { pid = 0, incarnation = "", startedAt = 0 } = this.#server.running ?? {};
    await this.#server.halt();
    const ranMs = this.#deps.clock.now() - startedAt;
    this.#crash = { pid, incarnation, ranMs, code: null, signal: null, logTail: [] };
  }

  /** Drains beside the loop: a hanging store must not keep us from noticing that it hangs. */
  #startDraining(): void {
    const { memory, metrics, clock } = this.#deps;
    const status = memory.status();
    metrics.sample(status);
    if (this.#draining !== undefined || this.#crash !== undefined || this.#unanswered > 0) return;
    const { records, unsettled, nextAttemptAt } = status.outbox;
    if (records + unsettled === 0) return;
    if ((nextAttemptAt ?? 0) > clock.now() && !this.#healed) return;
    this.#healed = false;
    this.#draining = this.#drain().finally(() => {
      this.#draining = undefined;
    });
  }

  async #drain(): Promise<void> {
    const { memory, logger } = this.#deps;
    const { signal } = this.#stopDraining;
    try {
      const report = await memory.drain({ signal });
      if (report.stored + report.dead > 0) logger.info({ ...report }, "drained");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HoldfastError) {
        logger.warn({ error }, "the outbox could not be drained");
      } else {
        this.#fault = { error };
      }
    }
  }

  #checkDueAt(): number {
    if (!isAnyTripped(this.#deps.breaker)) return this.#nextCheckAt;
    const intervalMs = this.#options.healthIntervalMs ?? 30_000;
    return this.#nextCheckAt - Math.max(0, intervalMs - ANXIOUS_MS);
  }

  /** Sleeps, or less when the server dies meanwhile. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#crash !== undefined) return;
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    try {
      await this.#deps.clock.sleep(ms, AbortSignal.any([signal, waking.signal]));
    } catch (error) {
      if (!waking.signal.aborted && !signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }

  #phase(phase: KeeperPhase, detail: string): void {
    this.#deps.database.setPhase(phase, detail, this.#deps.clock.now());
  }

  readonly #onInstall = (progress: InstallProgress): void => {
    const { bytes, bytesTotal, version } = progress;
    const part = `${Math.round(bytes / 1_000_000)} of ${Math.round(bytesTotal / 1_000_000)} MB`;
    this.#phase("installing", `fetching Chroma ${version}, ${part}`);
  };
}

function ending({ code, signal }: ServerExit): string {
  if (typeof signal === "string") return signal;
  return typeof code === "number" ? `exit code ${code}` : "without a word";
}

function asFailure(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  return new HoldfastError(error instanceof Error ? error.message : String(error), {
    code: "KEEPER_FAILED",
    cause: error,
  });
}

function plain({ code, message, hint }: HoldfastError): {
  code: string;
  message: string;
  hint: string | undefined;
} {
  return { code, message, hint };
}
