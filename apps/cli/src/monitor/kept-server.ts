import { readExits, readServerRecord, type RecordedExit } from "@holdfast/chroma";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import type { OrchestratedExit, OrchestratedState, Orchestrator } from "@holdfast/recovery";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { ensureKeeper, type EnsureKeeperOptions, type KeeperUse } from "../keeper/ensure-keeper.ts";
import { howItEnded } from "../keeper/how-it-ended.ts";
import { serverState } from "../server-state.ts";

const POLL_MS = 200;
/** A keeper that prepares a directory, is told to stop, or is idle, ends its server on purpose. */
const ON_PURPOSE = ["starting", "stopping", "stopped"];

/**
 * A managed server as its monitor sees it: whoever starts, repairs and drains it is its keeper, which
 * the monitor starts, holds in use, and starts again when it has ended.
 */
export class KeptServer implements Orchestrator, Disposable {
  readonly name = "managed Chroma";
  readonly #options: EnsureKeeperOptions;
  readonly #clock: Clock;
  readonly #done = new AbortController();
  #use: KeeperUse | undefined;

  constructor(options: EnsureKeeperOptions, clock: Clock = systemClock) {
    this.#options = options;
    this.#clock = clock;
  }

  state(): Promise<OrchestratedState> {
    return Promise.resolve(
      serverState(this.#options.dataDirectory).running ? "running" : "stopped",
    );
  }

  /** Resolves when a keeper serves the directory. @throws what the keeper failed with. */
  async start(signal: AbortSignal): Promise<void> {
    const use = await ensureKeeper({ ...this.#options, signal }, this.#clock);
    this.#use?.release();
    this.#use = use;
  }

  /** Lets the keeper go; others may use it. */
  stop(): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }

  restart(signal: AbortSignal): Promise<void> {
    return this.start(signal);
  }

  /** Its keeper sees the server end at once; whoever looks at the process table, soon after. */
  onExit(listener: (exit: OrchestratedExit) => void): () => void {
    const watching = new AbortController();
    const signal = AbortSignal.any([watching.signal, this.#done.signal]);
    void this.#watch(listener, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return () => watching.abort();
  }

  [Symbol.dispose](): void {
    this.#done.abort();
    this.#use?.release();
    this.#use = undefined;
  }

  async #watch(listener: (exit: OrchestratedExit) => void, signal: AbortSignal): Promise<void> {
    const { dataDirectory } = this.#options;
    let before: Seen | undefined;
    for (; ; await this.#clock.sleep(POLL_MS, signal)) {
      const now = this.#lookAt(dataDirectory);
      if (now === undefined) continue;
      const exit = before && exitOf(before, now, this.#clock.monotonic());
      if (exit !== undefined) listener(exit);
      before = now;
    }
  }

  /** Undefined when it cannot be read this moment: the next look sees what has ended meanwhile. */
  #lookAt(dataDirectory: string): Seen | undefined {
    try {
      return this.#stateOf(dataDirectory);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return undefined;
    }
  }

  #stateOf(dataDirectory: string): Seen {
    const isServed = serverState(dataDirectory).running;
    const keeper = keeperStatus(dataDirectory, this.#clock);
    return {
      server: isServed ? readServerRecord(dataDirectory) : undefined,
      keeper: keeper?.running === true ? keeper.pid : undefined,
      phase: keeper?.phase,
      crash: readExits(dataDirectory).findLast(({ ready }) => ready),
    };
  }
}

interface Seen {
  server: { pid: number; startedUpMs: number } | undefined;
  keeper: number | undefined;
  phase: string | undefined;
  /** The last end of a server that its keeper had not asked for. */
  crash: RecordedExit | undefined;
}

/** What ended unasked, if anything did. A keeper that ends a hung server does so on purpose. */
function exitOf(before: Seen, now: Seen, upMs: number): OrchestratedExit | undefined {
  if (ON_PURPOSE.includes(now.phase ?? "")) return undefined;
  const { crash, server } = now;
  if (crash !== undefined && crash.upMs !== before.crash?.upMs) {
    return { how: howItEnded(crash), ranMs: crash.ranMs };
  }
  if (now.keeper !== undefined && now.keeper === before.keeper) return undefined;
  const ranMs = before.server === undefined ? 0 : upMs - before.server.startedUpMs;
  if (before.server !== undefined && server?.pid !== before.server.pid) {
    return { how: `Chroma (pid ${before.server.pid}) ended`, ranMs };
  }
  if (before.keeper === undefined || now.keeper === before.keeper) return undefined;
  return { how: `the keeper of Chroma (pid ${before.keeper}) ended`, ranMs };
}
