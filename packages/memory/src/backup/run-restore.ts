import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, HoldfastError } from "@holdfast/core";
import type { CollectionSpec, VectorCollection } from "@holdfast/store";
import { finishSwap } from "../collection-swap.ts";
import { compareWithMirror } from "../compare.ts";
import type { Drainer } from "../drainer.ts";
import type { Journal } from "../journal.ts";
import type { Comparison, Embedder } from "../memory.ts";
import { ReadBack } from "../read-back.ts";
import type { StoreAccess } from "../store-access.ts";
import { BackupError } from "./backup-error.ts";
import type { BackupFailpoint, BackupProgress } from "./backup-progress.ts";
import { fillBatch, fillOthers } from "./fill-store.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { freshForm, holdsOurs, usableEmbedder } from "./restore-embedder.ts";
import { collectionOf, feedTarget, otherRecords, othersCount } from "./restore-target.ts";
import { REPLACED, type StagedState, Staging } from "./staging.ts";
import { requireKeptSince, swapIn } from "./swap-in.ts";
import type { ChainLink } from "./verify-backup.ts";

const CALL_MS = 60_000;
const BATCH = 1_000;
/** Staged rows, their index and the write-ahead log of both, next to what is there. */
const DISK_FACTOR = 3;
const LISTED_MAX = 20;

export interface RestoreRequest {
  chain: readonly ChainLink[];
  toTime: number | undefined;
  reEmbed: boolean;
  /** Writes after this one stay. */
  sinceSeq: number;
  onProgress?: (progress: BackupProgress) => void;
  signal?: AbortSignal;
}

export interface RestoreReport {
  /** Memories that are there now, and records of other programs. */
  memories: number;
  others: number;
  /** Memories of the backup that were forgotten since. */
  forgotten: number;
  embedded: number;
  /** Other programs' records that could not be written. */
  refused: readonly string[];
  /** Whether an earlier attempt was continued. */
  resumed: boolean;
  /** Undefined when the store has everything; else why it follows later. */
  pending: string | undefined;
  tookMs: number;
}

interface RestoreDeps {
  journal: Journal;
  access: StoreAccess;
  drainer: Drainer;
  embedder: Embedder;
  clock: Clock;
  failpoint: ((name: BackupFailpoint) => void) | undefined;
}

type Call = { signal: AbortSignal; timeoutMs: number };

/** The collection that is filled, and how far it is. */
interface Filling {
  state: StagedState;
  fresh: VectorCollection;
  /** Undefined when an earlier attempt is continued: what that has written nobody has read back. */
  readBack: ReadBack | undefined;
}

/**
 * Prepares a backup's state beside the present one, in the mirror and in the store; compares; and
 * only then swaps. The caller has verified the backup and holds no lease.
 * @throws BackupError `RESTORE_REFUSED`; MemoryError `EMBEDDER_MISMATCH`; StoreError.
 */
export async function runRestore(
  request: RestoreRequest,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<RestoreReport> {
  const began = performance.now();
  const { journal, access, drainer } = deps;
  const ours = await usableEmbedder(request, deps);
  const form = freshForm(request, ours);
  requireSpace(request.chain, journal.path);
  const report = await drainer.exclusively(signal, async (inner, requireLease) => {
    requireKeptSince(request.sinceSeq, { db: journal.working.db, collection: journal.collection });
    const staging = new Staging(journal, access.store, access.collection);
    const call = { signal: inner, timeoutMs: CALL_MS };
    const run = new RestoreRun(request, deps, staging, call);
    const filled = await run.fill(form);
    await run.compare(filled);
    deps.failpoint?.("compared");
    await staging.clearPrevious(inner);
    requireLease();
    swapIn(journal, {
      incoming: "staged",
      sinceSeq: request.sinceSeq,
      from: filled.state.name,
      keptAs: `${access.collection}${REPLACED}${deps.clock.now()}`,
      embedder: request.reEmbed || holdsOurs(request.chain) ? ours : journal.embedder(),
      backup: request.chain.at(-1)?.manifest.id,
      now: deps.clock.now(),
    });
    deps.failpoint?.("swap-decided");
    const pending = await swapped(deps, call);
    deps.failpoint?.("swapped");
    journal.scourLater();
    return { ...run.counts(), resumed: filled.readBack === undefined, pending };
  });
  journal.scourIfDue();
  return { ...report, tookMs: performance.now() - began };
}

/** The store's part of a swap that is decided: if it fails now, the next drain does it. */
export async function swapped(
  { journal, access }: Pick<RestoreDeps, "journal" | "access">,
  call: Call,
): Promise<string | undefined> {
  try {
    await finishSwap({ journal, access }, call);
    return undefined;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return error.message;
  }
}

class RestoreRun {
  readonly #request: RestoreRequest;
  readonly #deps: RestoreDeps;
  readonly #staging: Staging;
  readonly #call: Call;
  #forgotten = 0;
  #embedded = 0;
  #filled = 0;
  #others = 0;
  readonly #refused: string[] = [];

  constructor(request: RestoreRequest, deps: RestoreDeps, staging: Staging, call: Call) {
    this.#request = request;
    this.#deps = deps;
    this.#staging = staging;
    this.#call = call;
  }

  async fill(form: Omit<CollectionSpec, "name">): Promise<Filling> {
    const { chain, toTime, reEmbed } = this.#request;
    const { staged } = this.#deps.journal.working;
    const what = JSON.stringify([chain.at(-1)?.manifest.id, toTime, reEmbed, form]);
    const begun = await this.#staging.begin(what, form, this.#call.signal);
    const { fresh, resumed } = begun;
    const readBack = resumed ? undefined : new ReadBack(fresh, staged, this.#call);
    const filling = { fresh, readBack, state: { ...begun.state } };
    if (resumed) this.#filled = staged.countApplied();
    else {
      // Rows of a single backup are final as they come, so the store can be filled meanwhile.
      const isFinal = chain.length === 1 && toTime === undefined;
      if (isFinal) await this.#stageAndFill(filling);
      else await this.#stage(filling.state, this.#call.signal);
      this.#deps.failpoint?.("memories-staged");
    }
    while (await this.#fillNext(filling));
    await this.#fillOthers(fresh);
    this.#deps.failpoint?.("store-filled");
    return filling;
  }

  async compare({ fresh, readBack }: Filling): Promise<void> {
    const { staged } = this.#deps.journal.working;
    this.#tell("compare", 0, staged.count());
    const comparison = await (readBack?.result() ?? compareWithMirror(fresh, staged, this.#call));
    if (!comparison.equal) {
      await this.#staging.clear(this.#call.signal);
      throw notEqual(comparison);
    }
    this.#tell("compare", comparison.compared, comparison.compared);
  }

  counts(): Pick<RestoreReport, "memories" | "others" | "forgotten" | "embedded" | "refused"> {
    return {
      memories: this.#deps.journal.mirror.count(),
      others: this.#others,
      forgotten: this.#forgotten,
      embedded: this.#embedded,
      refused: this.#refused,
    };
  }

  async #stage(state: StagedState, signal: AbortSignal): Promise<void> {
    const { chain, toTime, reEmbed } = this.#request;
    const { journal } = this.#deps;
    const { db } = journal.working;
    const { collection } = journal;
    const sink = this.#staging.sink(reEmbed, (count) => {
      this.#forgotten += count;
    });
    const forgottenIds = new ForgottenIds(db, collection, collectionOf(chain).name);
    journal.work(() => forgottenIds.addOrigin());
    const deps = { db, collection, forgottenIds };
    const total = chain.reduce((sum, { manifest }) => sum + (manifest.data?.lines ?? 0), 0);
    let done = 0;
    await feedTarget(chain, toTime, sink, deps, {
      signal,
      onLines: (lines) => {
        done += lines;
        this.#tell("stage", done, total);
      },
    });
    state.rows = journal.working.staged.count();
    this.#staging.save(state);
  }

  /** Fills the store behind the staging, a batch for each that has been staged. */
  async #stageAndFill(filling: Filling): Promise<void> {
    const stop = new AbortController();
    const staged = this.#stage(filling.state, AbortSignal.any([this.#call.signal, stop.signal]));
    const ended = staged.then(
      () => ({ error: undefined }),
      (error: unknown) => ({ error }),
    );
    try {
      for (;;) {
        const filled = await this.#fillNext(filling);
        const end = await Promise.race([ended, filled ? undefined : pause()]);
        if (end?.error !== undefined) throw end.error;
        if (end !== undefined) return;
      }
    } finally {
      // Nothing is staged any more once the lease is given back.
      stop.abort();
      await ended;
    }
  }

  async #fillNext({ state, fresh, readBack }: Filling): Promise<boolean> {
    const { journal, embedder, access } = this.#deps;
    const batchRecordsMax = Math.min(BATCH, access.store.limits.batchRecordsMax);
    const filled = await fillBatch(
      state.filled,
      { journal, embedder, fresh, batchRecordsMax },
      this.#call,
      (count) => {
        this.#embedded += count;
        if (count > 0) this.#tell("embed", this.#embedded, undefined);
      },
    );
    if (filled === undefined) return false;
    state.filled = filled.last;
    this.#filled += filled.ids.length;
    await readBack?.begin(filled.ids);
    if (state.rows !== undefined) this.#staging.save(state);
    this.#tell("store", this.#filled, collectionOf(this.#request.chain).total);
    this.#deps.failpoint?.("store-half-filled");
    return true;
  }

  async #fillOthers(fresh: VectorCollection): Promise<void> {
    const { journal, embedder, access } = this.#deps;
    const { chain, reEmbed } = this.#request;
    const { db } = journal.working;
    const total = othersCount(chain);
    const batchRecordsMax = access.store.limits.batchRecordsMax;
    const forgottenIds = new ForgottenIds(db, journal.collection, collectionOf(chain).name);
    for await (const lines of otherRecords(chain, forgottenIds, this.#call.signal)) {
      const deps = { journal, embedder, fresh, batchRecordsMax };
      const theirs = lines.filter(({ id }) => journal.working.staged.find(id) === undefined);
      for (let from = 0; from < theirs.length; from += batchRecordsMax) {
        const some = theirs.slice(from, from + batchRecordsMax);
        const refused = await fillOthers(some, reEmbed, deps, this.#call);
        this.#refused.push(...refused);
        this.#others += some.length - refused.size;
      }
      this.#tell("others", this.#others, total);
    }
  }

  #tell(stage: BackupProgress["stage"], done: number, total: number | undefined): void {
    this.#request.onProgress?.({ stage, done, total });
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

function requireSpace(chain: readonly ChainLink[], path: string): void {
  const content = chain.reduce((sum, { manifest }) => sum + (manifest.data?.content_bytes ?? 0), 0);
  const { bavail, bsize } = statfsSync(dirname(path));
  const free = bavail * bsize;
  if (content * DISK_FACTOR <= free) return;
  throw new BackupError(
    `The disk of ${dirname(path)} has ${free} bytes free; restoring takes up to ${content * DISK_FACTOR}`,
    { code: "RESTORE_REFUSED", hint: "Nothing was changed. Free some space first." },
  );
}

function notEqual({ missing, different }: Comparison): BackupError {
  const ids = [...missing, ...different].slice(0, LISTED_MAX).join(", ");
  return new BackupError(
    `What was restored does not equal the backup: ${missing.length} missing, ${different.length} different (${ids})`,
    { code: "RESTORE_REFUSED", hint: "Nothing was changed. Run it again; it begins anew." },
  );
}
