import type { CircuitBreaker } from "@holdfast/breaker";
import {
  type BackoffOptions,
  type Clock,
  fullJitterMs,
  HoldfastError,
  type Random,
} from "@holdfast/core";
import { adoptFromStore } from "./adopt.ts";
import type { Applier, Batch, Refusal } from "./applier.ts";
import { finishSwap } from "./collection-swap.ts";
import type { Failpoint } from "./acceptance.ts";
import { remainingMs, WAIT_MS_MAX } from "./attempts.ts";
import { DrainLease, type HeldLease } from "./drain-lease.ts";
import type { Journal } from "./journal.ts";
import type { DrainReport } from "./memory.ts";
import { MemoryServiceUnavailableError } from "./memory-error.ts";
import { idsOf, isEmpty, nextBatch } from "./next-batch.ts";
import type { Reconciler } from "./reconciler.ts";
import { isCertainlyUnsent, type StoreAccess } from "./store-access.ts";

export interface DrainerOptions {
  /** How long a drainer that falls silent keeps others out, in milliseconds. */
  leaseMs: number;
  /** Records a request; the store's own limit holds as well. */
  batchRecordsMax: number;
  /** Texts that are embedded before a request is sent. */
  embedBatchMax: number;
  backoff: BackoffOptions;
}

interface DrainerDeps {
  journal: Journal;
  access: StoreAccess;
  breaker: CircuitBreaker;
  applier: Applier;
  reconciler: Reconciler;
  clock: Clock;
  random: Random;
  failpoint: Failpoint | undefined;
}

/** How one run ended: the outbox is empty, another process drains, or something failed. */
export type RunEnd = { kind: "empty" } | { kind: "busy" } | { kind: "failed"; reason: string };

/** Work written down under a lease; with nothing queued, the ids that are to be read back. */
interface Picked {
  token: string;
  batch: Batch;
  due: readonly string[];
}

const HALVINGS_MAX = 6;
const NOT_KEPT = "the store does not keep what it was sent";
const TURN_POLL_MS = 50;
const RECONCILE_IDS_MAX = 200;

/**
 * Applies queued writes to the store, one drainer at a time among all processes by lease. What it
 * is about to send is written down first, so that whoever comes after knows what may surface.
 */
export class Drainer {
  readonly #options: DrainerOptions;
  readonly #deps: DrainerDeps;
  readonly #lease: DrainLease;
  #running: Promise<RunEnd> | undefined;
  #report: DrainReport = emptyReport();
  /** Whether the batch in hand may have left for the store. */
  #sent = false;

  constructor(options: DrainerOptions, deps: DrainerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#lease = new DrainLease(options.leaseMs, deps);
  }

  /** One run, shared by all who ask while it lasts. With `eager`, an attempt is due at once. */
  run(signal: AbortSignal, eager: boolean): Promise<RunEnd> {
    if (this.#running === undefined) {
      const wait = eager ? undefined : this.#backingOff();
      if (wait !== undefined) return Promise.resolve({ kind: "failed", reason: wait });
      this.#running = this.#drainAll(signal).finally(() => {
        this.#running = undefined;
      });
    }
    return this.#running;
  }

  /**
   * Runs `work` as the only one, among all processes, that changes the store; waits for its turn.
   * Before a step that cannot be taken back `work` asks whether it still is.
   */
  async exclusively<T>(
    signal: AbortSignal,
    work: (signal: AbortSignal, requireLease: () => void) => Promise<T>,
  ): Promise<T> {
    const { journal, clock } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      const token = journal.work(() => this.#lease.take(undefined));
      if (token !== undefined) {
        using held = this.#lease.hold(token);
        try {
          const both = AbortSignal.any([signal, held.lost]);
          await finishSwap(this.#deps, { signal: both });
          return await work(both, () => this.#lease.require(token));
        } finally {
          journal.working.lease.release(token);
        }
      }
      await clock.sleep(TURN_POLL_MS, signal);
    }
  }

  /** What the last run did. */
  get report(): DrainReport {
    return this.#report;
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  /** Milliseconds until an attempt is due. */
  waitMs(): number {
    const { journal, breaker, clock } = this.#deps;
    return remainingMs(journal.attempts.state(), breaker, clock.now());
  }

  #backingOff(): string | undefined {
    if (this.waitMs() === 0) return undefined;
    return this.#deps.journal.attempts.state().lastError ?? "the store failed a moment ago";
  }

  async #drainAll(signal: AbortSignal): Promise<RunEnd> {
    this.#report = emptyReport();
    let token: string | undefined;
    let held: HeldLease | undefined;
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = this.#pick(token);
        if (next === undefined) return { kind: "busy" };
        token = next.token;
        this.#sent = false;
        held ??= this.#lease.hold(token);
        const both = AbortSignal.any([signal, held.lost]);
        await finishSwap(this.#deps, { signal: both });
        if (isEmpty(next.batch)) {
          await this.#reconcile(next.due, token, both);
          if (this.#deps.journal.mustAdopt()) await adoptFromStore(this.#deps, both);
          this.#deps.journal.working.lease.release(token);
          return this.#finish();
        }
        const end = await this.#applyBatch(next.batch, token, both);
        if (end?.kind === "empty") return this.#finish();
        if (end !== undefined) return end;
      }
    } catch (error) {
      return this.#fail(token, error, signal.aborted);
    } finally {
      held?.[Symbol.dispose]();
    }
  }

  /** Takes or keeps the lease, picks what is due and writes the intent down, in one transaction. */
  #pick(held: string | undefined): Picked | undefined {
    const { journal, clock, access } = this.#deps;
    const now = clock.now();
    return journal.work((tables) => {
      const { unsettled } = tables;
      const token = this.#lease.take(held);
      if (token === undefined) return undefined;
      const batch = nextBatch(tables, {
        recordsMax: this.#batchSize(),
        bytesMax: access.store.limits.batchBytesMax / 2,
        unembeddedMax: this.#options.embedBatchMax,
      });
      const due = isEmpty(batch)
        ? unsettled.due(token, now, access.store.incarnation(), RECONCILE_IDS_MAX)
        : [];
      unsettled.intend([...idsOf(batch), ...due], token, now);
      return { token, batch, due };
    });
  }

  /** Halved with each failure in a row: a store that dies often still gets something done. */
  #batchSize(): number {
    const { journal, access } = this.#deps;
    const most = Math.min(this.#options.batchRecordsMax, access.store.limits.batchRecordsMax);
    return Math.max(1, most >> Math.min(journal.attempts.state().failures, HALVINGS_MAX));
  }

  async #applyBatch(batch: Batch, token: string, signal: AbortSignal): Promise<RunEnd | undefined> {
    const { journal, applier, reconciler, failpoint } = this.#deps;
    await applier.embed(batch.puts, signal);
    if (!this.#lease.isHeldFor(token)) {
      journal.work(({ unsettled }) => unsettled.forget(token));
      return { kind: "busy" };
    }
    failpoint?.("before-send");
    this.#sent = true;
    const refusals = await applier.send(batch, signal);
    failpoint?.("after-apply");
    const doubtful = journal.working.unsettled.among(idsOf(batch), token);
    const settled = doubtful.length === 0 || (await reconciler.reconcile(doubtful, signal));
    failpoint?.("before-mark");
    return this.#mark(batch, refusals, token, { doubtful, settled });
  }

  /** Books what was applied, if the lease is still ours; if not, others may have gone on since. */
  #mark(
    batch: Batch,
    refusals: readonly Refusal[],
    token: string,
    doubt: { doubtful: readonly string[]; settled: boolean },
  ): RunEnd | undefined {
    const { journal, clock, access } = this.#deps;
    const now = clock.now();
    const refused = new Set(refusals.map((refusal) => refusal.id));
    const waiting = new Set(doubt.settled ? [] : doubt.doubtful);
    const doubtful = new Set(doubt.doubtful);
    return journal.work(({ lease, outbox, mirror, unsettled }): RunEnd | undefined => {
      if (!lease.isHeldBy(token)) {
        unsettled.giveUp(token, now);
        return { kind: "busy" };
      }
      for (const { row } of batch.puts) {
        if (refused.has(row.id) || waiting.has(row.id)) continue;
        this.#report.stored += outbox.markStored(row.id, row.revision);
        mirror.markApplied(row, doubtful.has(row.id));
      }
      for (const { id, revision } of batch.forgets) {
        if (waiting.has(id)) continue;
        this.#report.stored += outbox.markStored(id, revision);
        if (!doubtful.has(id)) mirror.tombstones.markForgotten(id);
        journal.scourLater();
      }
      for (const { id, revision, reason } of refusals) {
        this.#report.dead += outbox.bury(id, revision, reason);
      }
      unsettled.resolve(idsOf(batch), token);
      if (!doubt.settled) {
        lease.release(token);
        journal.attempts.failed(NOT_KEPT, now + this.#backoffMs());
        return this.#stopped(NOT_KEPT);
      }
      unsettled.confirm(doubt.doubtful, token, now, access.store.incarnation());
      journal.attempts.applied(now);
      if (outbox.load().records > 0 || unsettled.count() > 0 || journal.mustAdopt())
        return undefined;
      // Nothing is left to do: with the last booking goes the lease, in one commit.
      lease.release(token);
      return { kind: "empty" };
    });
  }

  async #reconcile(due: readonly string[], token: string, signal: AbortSignal): Promise<void> {
    if (due.length === 0) return;
    const { journal, clock, access, reconciler } = this.#deps;
    const incarnation = access.store.incarnation();
    this.#sent = true;
    const settled = await reconciler.reconcile(due, signal);
    journal.work(({ unsettled }) => {
      unsettled.resolve(due, token);
      if (settled) unsettled.confirm(due, token, clock.now(), incarnation);
    });
  }

  /** What is left to do once the lease is given back. */
  #finish(): RunEnd {
    const { journal } = this.#deps;
    journal.pruneKept();
    journal.scourIfDue();
    this.#report.queued = journal.outbox.load().records;
    return { kind: "empty" };
  }

  /** Leaves the writes queued, says why, and, unless we were told to stop, when to try again. */
  #fail(token: string | undefined, error: unknown, stopping: boolean): RunEnd {
    const { journal, clock } = this.#deps;
    const reason = error instanceof Error ? error.message : String(error);
    const now = clock.now();
    journal.work(({ lease, unsettled }) => {
      if (token !== undefined) {
        if (!this.#sent || isCertainlyUnsent(error)) unsettled.forget(token);
        else unsettled.giveUp(token, now);
        lease.release(token);
      }
      if (stopping) return;
      const wait =
        error instanceof MemoryServiceUnavailableError
          ? Math.min(error.retryAfterMs, WAIT_MS_MAX)
          : this.#backoffMs();
      journal.attempts.failed(reason, now + wait, error);
    });
    const end = this.#stopped(reason);
    if (!stopping && !isExpected(error)) throw error;
    return end;
  }

  #backoffMs(): number {
    const { journal, random } = this.#deps;
    return fullJitterMs(journal.attempts.state().failures + 1, this.#options.backoff, random);
  }

  #stopped(reason: string): RunEnd {
    this.#report.queued = this.#deps.journal.outbox.load().records;
    this.#report.stoppedBy = reason;
    return { kind: "failed", reason };
  }
}

function emptyReport(): DrainReport {
  return { stored: 0, queued: 0, dead: 0, stoppedBy: undefined };
}

/** A fault of the world; anything else is a bug and must be seen. */
function isExpected(error: unknown): boolean {
  return error instanceof HoldfastError;
}
