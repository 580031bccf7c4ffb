import type { Clock } from "@holdfast/core";
import type { Drainer, RunEnd } from "./drainer.ts";
import type { Accepted } from "./acceptance.ts";
import type { Journal } from "./journal.ts";
import type { Receipt, WriteOptions } from "./memory-record.ts";

const BUSY_POLL_MS_MIN = 2;
const BUSY_POLL_MS_MAX = 50;
/** Between runs in the background that did not end with an empty outbox. */
const APPLY_PAUSE_MS = 50;
/** A longer wait is looked at again: an order to the breaker, from any process, may have ended it. */
const RECHECK_MS = 5_000;

/**
 * Says how accepted writes stand. It sees to it that they are applied, now or in the background of
 * this process, and can wait for that; nothing that goes wrong meanwhile takes an acceptance back.
 */
export class Receipts {
  readonly #options: { waitMs: number; background: boolean };
  readonly #deps: { journal: Journal; drainer: Drainer; clock: Clock; stop: AbortSignal };
  #retry: NodeJS.Timeout | undefined;
  /** What several waited for together is said once. */
  #warnedOf: unknown;

  /** `stop` ends all waiting and all work in the background. */
  constructor(
    options: { waitMs: number; background: boolean },
    deps: { journal: Journal; drainer: Drainer; clock: Clock; stop: AbortSignal },
  ) {
    this.#options = options;
    this.#deps = deps;
    deps.stop.addEventListener("abort", () => clearTimeout(this.#retry), { once: true });
  }

  /** What to tell the writer of `accepted`, after waiting for the store as long as asked. */
  async give(accepted: readonly Accepted[], options: WriteOptions): Promise<Receipt[]> {
    const waitMs = options.waitMs ?? this.#options.waitMs;
    const reason = waitMs > 0 ? await this.#waitFor(accepted, waitMs, options.signal) : undefined;
    if (waitMs <= 0) this.applyInBackground();
    return accepted.map(({ id, revision, seq }) => {
      const durability = this.#deps.journal.outbox.stateOf(seq);
      const why =
        durability === "stored" ? undefined : (reason ?? "it is being applied in the background");
      return {
        id,
        revision,
        durability,
        reason: durability === "dead" ? this.#refusalOf(seq) : why,
      };
    });
  }

  #refusalOf(seq: number): string {
    const letter = this.#deps.journal.outbox.deadLetters().find((dead) => dead.seq === seq);
    return letter?.reason ?? "the store refused it";
  }

  /** Waits until all are applied or an attempt failed; says why they are not. */
  async #waitFor(
    accepted: readonly Accepted[],
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { journal, clock } = this.#deps;
    const pending = (): boolean =>
      accepted.some(({ seq }) => journal.outbox.stateOf(seq) === "queued");
    const over = new AbortController();
    const ends = AbortSignal.any([over.signal, this.#deps.stop, ...(signal ? [signal] : [])]);
    const timeout = clock.sleep(waitMs, ends).then(
      () => "late" as const,
      () => "ended" as const,
    );
    try {
      for (let pause = BUSY_POLL_MS_MIN; ; pause = Math.min(pause * 2, BUSY_POLL_MS_MAX)) {
        const end = await Promise.race([this.#apply(), timeout]);
        if (!pending()) return undefined;
        if (end === "ended") return "the waiting was ended";
        if (end === "late") return `it was not applied within ${waitMs} ms`;
        if (end.kind === "failed") return end.reason;
        if (end.kind === "busy")
          await Promise.race([clock.sleep(pause, ends).catch(() => undefined), timeout]);
      }
    } finally {
      over.abort(new Error("done"));
      if (pending()) this.applyInBackground();
    }
  }

  /** One run now, and further ones when the backoff says so, as long as this process lives. */
  applyInBackground(pauseMs: number = BUSY_POLL_MS_MIN): void {
    if (!this.#options.background || this.#deps.stop.aborted || this.#retry !== undefined) return;
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        void this.#applyOnce();
      },
      Math.max(pauseMs, Math.min(this.#deps.drainer.waitMs(), RECHECK_MS)),
    );
    this.#retry.unref();
  }

  async #applyOnce(): Promise<void> {
    const end = await this.#apply();
    if (end.kind !== "empty") this.applyInBackground(APPLY_PAUSE_MS);
  }

  /** What is accepted stays accepted: a bug here must be seen, and must not reach the caller. */
  async #apply(): Promise<RunEnd> {
    try {
      return await this.#deps.drainer.run(this.#deps.stop, false);
    } catch (error) {
      if (error !== this.#warnedOf) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
      this.#warnedOf = error;
      return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }
}
