import { ManagedServer, type ManagedServerOptions } from "@holdfast/chroma";
import { type Clock, HoldfastError } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { OrchestratedExit, OrchestratedState, Orchestrator } from "@holdfast/recovery";
import type { VectorStore } from "@holdfast/store";
import { moveAsideIfDamaged, rebuildIfLost } from "./heal.ts";
import { howItEnded } from "./how-it-ended.ts";
import type { KeeperLogger } from "./keeper-log.ts";
import type { KeeperMetrics } from "./keeper-metrics.ts";

export interface ServerOrchestratorDeps {
  memory: Memory;
  store: VectorStore;
  metrics: KeeperMetrics;
  logger: KeeperLogger;
  clock: Clock;
  /** Told that it looks whether the store has lost memories. */
  onHealing: () => void;
}

/**
 * The managed server as something to start, stop and restart. It is inspected before every start,
 * and what it has lost is rebuilt after it.
 */
export class ServerOrchestrator implements Orchestrator {
  readonly name = "managed Chroma";
  readonly #server: ManagedServer;
  readonly #deps: ServerOrchestratorDeps;

  constructor(options: ManagedServerOptions, deps: ServerOrchestratorDeps) {
    this.#deps = deps;
    this.#server = new ManagedServer(options, {
      clock: deps.clock,
      logger: deps.logger,
      beforeLaunch: async ({ dataDirectory }) => {
        const moveAside = (): Promise<boolean> =>
          moveAsideIfDamaged(dataDirectory, deps.memory, deps.logger);
        await deps.metrics.recovery("move-aside", moveAside, (moved) => moved || undefined);
      },
    });
  }

  /** The same server, for repairs that start and stop it themselves. */
  get control(): ManagedServer {
    return this.#server;
  }

  /** Takes the directory. @throws ServerError `SERVER_LOCKED`. */
  claim(): void {
    this.#server.claim();
  }

  /** @throws ServerError `SERVER_LOCKED` when another may be given what this one has claimed. */
  requireClaim(): void {
    this.#server.requireClaim();
  }

  release(): void {
    this.#server.release();
  }

  rotateLog(): void {
    this.#server.rotateLog();
  }

  state(): Promise<OrchestratedState> {
    return Promise.resolve(this.#server.running === undefined ? "stopped" : "running");
  }

  async start(signal: AbortSignal): Promise<void> {
    const { store, memory, metrics, logger, onHealing } = this.#deps;
    try {
      await this.#server.start(signal);
    } catch (error) {
      throw worthAnotherAttempt(error);
    }
    await store.ping({ signal });
    onHealing();
    const rebuild = (): Promise<boolean> => rebuildIfLost(store, memory, logger, signal);
    await metrics.recovery("rebuild", rebuild, (rebuilt) => rebuilt || undefined);
  }

  stop(): Promise<void> {
    return this.#server.halt();
  }

  async restart(signal: AbortSignal): Promise<void> {
    const restart = async (): Promise<void> => {
      await this.#server.halt();
      await this.start(signal);
    };
    await this.#deps.metrics.recovery("restart", restart, () => true);
  }

  onExit(listener: (exit: OrchestratedExit) => void): () => void {
    return this.#server.onCrash((exit) => listener({ ranMs: exit.ranMs, how: howItEnded(exit) }));
  }
}

const WORTH_ANOTHER = ["SERVER_START_FAILED", "HEAL_REFUSED"];

/** A server that did not start may start the next time, or after a repair. */
function worthAnotherAttempt(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || !WORTH_ANOTHER.includes(error.code)) return error;
  const { message, code, hint } = error;
  const told = hint === undefined ? {} : { hint };
  return new HoldfastError(message, { code, retryable: true, cause: error, ...told });
}
