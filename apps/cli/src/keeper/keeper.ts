import type { CircuitBreaker } from "@holdfast/breaker";
import {
  chromaProof,
  chromaStrategies,
  type InstallProgress,
  type ManagedServerOptions,
  processChecks,
  statePathsOf,
} from "@holdfast/chroma";
import type { Clock, HoldfastError, Random } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import {
  HEALTH_DEFAULTS,
  type HealthCheck,
  HealthLoop,
  type HealthLoopOptions,
  type HealthReport,
  RecoveryEngine,
  type RecoveryJournal,
  RestartPolicy,
  type RestartPolicyOptions,
  Supervisor,
  type SupervisorEvent,
  type SupervisorOptions,
} from "@holdfast/recovery";
import { startTimeOf } from "@holdfast/sqlite";
import type { VectorStore } from "@holdfast/store";
import type { RepairPorts } from "../recovery/store-recovery.ts";
import { Foresight } from "../monitor/foresight.ts";
import { BreakerTeller } from "./breaker-teller.ts";
import { isAnyTripped } from "./circuits.ts";
import { DrainBeside } from "./drain-beside.ts";
import type { KeeperDatabase, KeeperPhase } from "./keeper-database.ts";
import { asFailure, recordOf } from "./keeper-failure.ts";
import type { KeeperLogger } from "./keeper-log.ts";
import type { KeeperMetrics } from "./keeper-metrics.ts";
import { KeeperWords } from "./keeper-words.ts";
import { ScrubBeside } from "./scrub-beside.ts";
import { ServerOrchestrator } from "./server-orchestrator.ts";
import { storeChecks } from "./store-checks.ts";

/** What recoveries of the store are journaled under, whoever makes them. */
export const STORE_SERVICE = "store";
/** What a step asks for that is too great a risk to be run unasked. */
export const BY_HAND = "See the plan with: holdfast memory recover --dry-run";

export interface KeeperOptions {
  server: ManagedServerOptions;
  /** Milliseconds without users after which server and keeper stop. Default 900000. */
  idleTimeoutMs?: number;
  health?: HealthLoopOptions & {
    /** Default true: a canary is written, found and deleted. Else the store is only read. */
    canary?: boolean;
  };
  restart?: RestartPolicyOptions;
  /** Steps of greater risk are left to a person. Default `medium`. */
  riskMax?: NonNullable<SupervisorOptions["riskMax"]>;
}

export interface KeeperDeps {
  memory: Memory;
  store: VectorStore;
  breaker: CircuitBreaker;
  database: KeeperDatabase;
  journal: RecoveryJournal;
  metrics: KeeperMetrics;
  logger: KeeperLogger;
  clock: Clock;
  random: Random;
  /** What repairs need to know besides. */
  recovery: RepairPorts;
  rotateLog?: () => void;
}

const TICK_MS = 250;

/**
 * Keeps one data directory served: starts Chroma and supervises it (see `Supervisor`), drains the
 * outbox, tells the breaker when the store has healed, and stops when nobody has used the store for
 * a while.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #deps: KeeperDeps;
  readonly #words: KeeperWords;
  readonly #server: ServerOrchestrator;
  readonly #supervisor: Supervisor;
  readonly #drain: DrainBeside;
  readonly #scrub: ScrubBeside;
  readonly #teller: BreakerTeller;
  readonly #foresight: Foresight;
  readonly #stopping = new AbortController();
  /** The first look has been taken. */
  #begun = false;
  #serving = false;
  /** The checks that warned last. */
  #foreseen = "";

  constructor(options: KeeperOptions, deps: KeeperDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#words = new KeeperWords(deps.database, deps.logger);
    this.#drain = new DrainBeside(deps);
    this.#scrub = new ScrubBeside(deps);
    this.#teller = new BreakerTeller({
      ...deps,
      onEnded: (state) => {
        this.#drain.healed();
        deps.logger.info({ state }, "a canary ended the breaker's wait");
      },
    });
    this.#foresight = new Foresight({
      watched: options.health?.canary === false ? "place" : "canary",
      folder: statePathsOf(options.server.dataDirectory).stateDirectory,
      clock: deps.clock,
    });
    const onProgress = this.#onInstall;
    this.#server = new ServerOrchestrator(
      { ...options.server, find: { ...options.server.find, onProgress } },
      {
        ...deps,
        onHealing: () => this.#phase("healing", "looking whether the store has lost memories"),
      },
    );
    this.#supervisor = this.#supervise();
  }

  /**
   * Runs until it is idle, `signal` aborts, or it must give up. The server is stopped and the
   * directory released in every case.
   * @throws ServerError `SERVER_LOCKED` when the directory has another keeper; what made it give up.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { database, logger } = this.#deps;
    this.#server.claim();
    database.begin(process.pid, startTimeOf(process.pid));
    let failure: HoldfastError | undefined;
    try {
      await this.#keep(AbortSignal.any([signal, this.#stopping.signal]));
    } catch (error) {
      if (!signal.aborted) {
        logger.error({ error }, "the keeper gives up");
        failure = asFailure(error);
        throw error;
      }
    } finally {
      await this.#stop(failure);
    }
  }

  /** Whatever else can no longer be done: a server that nobody looks after must not stay. */
  async #stop(failure: HoldfastError | undefined): Promise<void> {
    const { clock, logger } = this.#deps;
    try {
      this.#phase("stopping", "stopping the server");
      await this.#drain.stop();
      await this.#scrub.stop();
      await this.#teller.stop();
    } finally {
      await this.#server.stop();
      try {
        this.#words.say((database) => database.end(failure && recordOf(failure, clock.now())));
        this.#deps.metrics.close();
      } finally {
        this.#server.release();
        logger.info({}, "the keeper has stopped");
      }
    }
  }

  /** Supervises the server and does the rest beside it; when either ends, both do. */
  async #keep(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#stopping.abort(new Error("the keeper stops"));
    const ended = await Promise.allSettled([
      this.#supervisor.run(signal).finally(end),
      this.#workBeside(signal).finally(end),
    ]);
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  }

  async #workBeside(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    const idleMs = this.#options.idleTimeoutMs ?? 900_000;
    while (!signal.aborted) {
      this.#server.requireClaim();
      if (this.#begun) {
        this.#drain.tick(this.#serving);
        this.#scrub.tick(this.#serving);
        if (this.#words.say((database) => database.drainIfIdle(idleMs))) {
          logger.info({ idleMs }, "nobody uses the store");
          return;
        }
      }
      try {
        await clock.sleep(TICK_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #supervise(): Supervisor {
    const { store, memory, breaker, journal, clock, random, logger } = this.#deps;
    const { health = {}, restart = {} } = this.#options;
    const repairs = { ...this.#deps.recovery, store, memory, server: this.#server.control, clock };
    const engine = new RecoveryEngine(
      { service: STORE_SERVICE, byHand: BY_HAND },
      {
        journal,
        strategies: chromaStrategies(repairs),
        prove: chromaProof(repairs),
        clock,
        onEvent: (event) => logger.info({ event }, "recovering"),
      },
    );
    return new Supervisor(
      { starts: true, endsWhenDown: true, riskMax: this.#options.riskMax ?? "medium" },
      {
        health: new HealthLoop(health, {
          checks: [...this.#checks(), this.#scrub.check, ...this.#foresight.checks],
          clock,
          anxious: () => isAnyTripped(breaker) || this.#foresight.alarming,
        }),
        engine,
        orchestrator: this.#server,
        policy: new RestartPolicy(restart, { clock, random }),
        clock,
        onEvent: (event) => this.#onEvent(event),
      },
    );
  }

  #checks(): HealthCheck[] {
    const { store, memory, metrics, clock } = this.#deps;
    const { timeoutMs = HEALTH_DEFAULTS.timeoutMs, canary = true } = this.#options.health ?? {};
    const onCanary = (tookMs: number, error?: HoldfastError): void => {
      // One that was cut off because we stop says nothing about the store.
      if (this.#stopping.signal.aborted) return;
      metrics.canary(clock.monotonic() - tookMs, error);
      if (error === undefined) this.#words.say((database) => database.setCanary());
    };
    const { dataDirectory } = this.#options.server;
    return [
      ...storeChecks({ timeoutMs, canary }, { store, memory, clock, onCanary }),
      // What no answer of the server shows: whose files it works on, and who else does.
      ...processChecks(dataDirectory, clock).filter(
        ({ name }) => name === "server-files" || name === "one-server",
      ),
    ];
  }

  #onEvent(event: SupervisorEvent): void {
    const { metrics, logger } = this.#deps;
    if (event.type === "checked") return this.#onChecked(event.report);
    if (event.type === "exit") {
      metrics.down(event.exit.how);
      this.#serving = false;
      this.#phase("restarting", `${event.exit.how}; starting it again`);
    } else if (event.type === "decided" && event.decision.action === "recover") {
      this.#phase("healing", `looking for what is wrong: ${event.decision.why}`);
    } else if (event.type === "gave-up") {
      this.#phase("degraded", `given up: ${event.message}`);
    } else if (event.type === "recovered") {
      this.#drain.healed();
    }
    if (event.type === "status") logger.info({ from: event.from, to: event.to }, event.type);
    else logger[event.type === "recovered" ? "info" : "warn"]({ ...event }, event.type);
  }

  #onChecked(report: HealthReport): void {
    const { logger, rotateLog } = this.#deps;
    this.#server.rotateLog();
    rotateLog?.();
    this.#foresee(report);
    const telling = report.checks.filter(({ severity }) => severity !== "none");
    const failed = telling.find(({ last }) => last.status === "fail")?.last;
    if (failed === undefined) {
      if (!this.#serving) this.#drain.healed();
      this.#phase("ready", `all ${telling.length} checks pass`);
      this.#teller.tell();
    } else {
      logger.warn({ check: failed }, "a check failed");
      this.#phase("degraded", failed.message);
    }
    this.#serving = failed === undefined;
    this.#begun = true;
  }

  /** Told once, and shown by whoever asks for as long as it is expected. */
  #foresee(report: HealthReport): void {
    const { logger } = this.#deps;
    this.#foresight.see(report);
    const lines = this.#foresight.warningsOf(report);
    const before = this.#foreseen;
    this.#foreseen = lines.map(({ check }) => check).join(" ");
    if (lines.length > 0 || before !== "")
      this.#words.say((database) => database.setForeseen(lines.map(({ line }) => line)));
    if (this.#foreseen !== before) logger.warn({ foreseen: lines }, "foreseen");
  }

  #phase(phase: KeeperPhase, detail: string): void {
    this.#words.say((database) => database.setPhase(phase, detail));
  }

  readonly #onInstall = (progress: InstallProgress): void => {
    const { bytes, bytesTotal, version } = progress;
    const part = `${Math.round(bytes / 1_000_000)} of ${Math.round(bytesTotal / 1_000_000)} MB`;
    this.#phase("installing", `fetching Chroma ${version}, ${part}`);
  };
}
