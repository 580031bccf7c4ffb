import { type Clock, systemClock } from "@holdfast/core";
import type { OrchestratedExit, OrchestratedState, Orchestrator } from "@holdfast/recovery";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { ensureKeeper, type EnsureKeeperOptions, type KeeperUse } from "../keeper/ensure-keeper.ts";
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
    let before = this.#stateOf(dataDirectory);
    for (; ; await this.#clock.sleep(POLL_MS, signal)) {
      const now = this.#stateOf(dataDirectory, before);
      const how = ON_PURPOSE.includes(now.phase ?? "") ? undefined : endOf(before, now);
      if (how !== undefined) listener({ how, ranMs: this.#clock.monotonic() - before.since });
      before = now;
    }
  }

  /** How long a server has run is asked once: the wall clock may be set meanwhile. */
  #stateOf(dataDirectory: string, before?: Seen): Seen {
    const server = serverState(dataDirectory);
    const keeper = keeperStatus(dataDirectory, this.#clock);
    const pid = server.running ? server.pid : undefined;
    const ageMs = server.running ? Math.max(0, this.#clock.now() - server.startedAt) : 0;
    const isSame = before !== undefined && before.server === pid;
    return {
      server: pid,
      since: isSame ? before.since : this.#clock.monotonic() - ageMs,
      keeper: keeper?.running === true ? keeper.pid : undefined,
      phase: keeper?.phase,
    };
  }
}

interface Seen {
  server: number | undefined;
  keeper: number | undefined;
  phase: string | undefined;
  /** When the server was started, in monotonic milliseconds. */
  since: number;
}

function endOf(before: Seen, now: Seen): string | undefined {
  if (before.server !== undefined && now.server !== before.server) {
    return `Chroma (pid ${before.server}) ended`;
  }
  if (before.keeper === undefined || now.keeper === before.keeper) return undefined;
  return `the keeper of Chroma (pid ${before.keeper}) ended`;
}
