import { scrubCheck } from "@holdfast/chroma";
import { type Clock, formatDuration, HoldfastError } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import type { KeeperDatabase } from "./keeper-database.ts";
import type { DrainLogger } from "./drain-beside.ts";
import { WorkBeside } from "./work-beside.ts";

export interface ScrubBesideDeps {
  memory: Pick<Memory, "status" | "compare">;
  database: Pick<KeeperDatabase, "scrubbedAt" | "setScrubbed">;
  logger: DrainLogger;
  clock: Clock;
}

const EVERY_MS = 24 * 60 * 60_000;
/** After one that could not be ended: the store went away, say. */
const AGAIN_MS = 10 * 60_000;

/**
 * Compares every memory in the store with the mirror's once a day, beside the health loop: a vector
 * that was damaged on the disk raises no error anywhere. What it finds is a check of the loop.
 */
export class ScrubBeside {
  readonly check: HealthCheck;
  readonly #deps: ScrubBesideDeps;
  readonly #scrub: HealthCheck;
  readonly #beside = new WorkBeside();
  #found: CheckOutcome | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(deps: ScrubBesideDeps) {
    this.#deps = deps;
    this.#scrub = scrubCheck(deps.memory);
    this.check = { ...this.#scrub, run: ({ signal }) => this.#tell(signal) };
  }

  /** Begins one if it is due, and none runs. @throws a bug that an earlier one ran into. */
  tick(serving: boolean): void {
    const { database, clock } = this.#deps;
    if (!this.#beside.isFree() || !serving || clock.monotonic() < this.#notBefore) return;
    if (!this.#isDue(database.scrubbedAt())) return;
    this.#beside.begin((signal) => this.#run(signal));
  }

  stop(): Promise<void> {
    return this.#beside.stop();
  }

  /** What was found wrong is looked at again, since it may have been repaired. */
  async #tell(signal: AbortSignal): Promise<CheckOutcome> {
    if (this.#found?.status === "fail") this.#found = await this.#scrub.run({ signal });
    if (this.#found !== undefined) return this.#found;
    const at = this.#deps.database.scrubbedAt();
    const message =
      at === undefined
        ? "it is compared once it serves"
        : `it was compared ${formatDuration(Math.max(0, this.#deps.clock.now() - at))} ago`;
    return { status: "pass", message };
  }

  /** A day of the wall clock, since keepers come and go. One that was set back shows no day. */
  #isDue(scrubbedAt: number | undefined): boolean {
    if (scrubbedAt === undefined) return true;
    const ageMs = this.#deps.clock.now() - scrubbedAt;
    return ageMs < 0 || ageMs >= EVERY_MS;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.#deps;
    this.#notBefore = clock.monotonic() + AGAIN_MS;
    try {
      this.#found = await this.#scrub.run({ signal });
      database.setScrubbed();
      logger.info({ ...this.#found }, "scrubbed");
    } catch (error) {
      if (signal.aborted || !(error instanceof HoldfastError)) throw error;
      logger.warn({ error }, "the store could not be compared with the mirror");
    }
  }
}
