import type { CircuitBreaker } from "@holdfast/breaker";
import type { Clock } from "@holdfast/core";
import type { Applier } from "./applier.ts";
import { compareWithMirror } from "./compare.ts";
import { discardLetters } from "./dead-letters.ts";
import { type Drainer, remainingMs, type RunEnd } from "./drainer.ts";
import { isEmptyFilter } from "./filter-sql.ts";
import { type Accepted, type Draft, expiryOf, type Journal } from "./journal.ts";
import type {
  Comparison,
  DeadLetter,
  DrainReport,
  Memory,
  MemoryStatus,
  RebuildOptions,
  RebuildReport,
} from "./memory.ts";
import { MemoryError } from "./memory-error.ts";
import type {
  AddOptions,
  Filter,
  ForgetResult,
  GetResult,
  ListOptions,
  ListResult,
  MemoryChanges,
  NewMemory,
  Receipt,
  SearchOptions,
  SearchResult,
  WriteOptions,
} from "./memory-record.ts";
import type { Recall } from "./recall.ts";
import { decodeRecord } from "./record-codec.ts";
import { rebuildCollection } from "./rebuild.ts";
import { isStoreFailure, type StoreAccess } from "./store-access.ts";
import {
  validateFilter,
  validateId,
  validateLimit,
  validateMetadata,
  validateNewMemory,
  validateTags,
  validateText,
  validateTtl,
} from "./validate.ts";

const LIST_DEFAULT = 50;
const LIST_MAX = 10_000;
const TTL_SWEEP_MAX = 500;
const MAINTENANCE_CALL_MS = 60_000;

interface ServiceOptions {
  collection: string;
  waitMs: number;
  background: boolean;
}

interface ServiceDeps {
  journal: Journal;
  access: StoreAccess;
  applier: Applier;
  drainer: Drainer;
  recall: Recall;
  breaker: CircuitBreaker;
  clock: Clock;
}

/** The memory service: validates, accepts, and waits; the parts do the rest. */
export class MemoryService implements Memory {
  readonly #options: ServiceOptions;
  readonly #deps: ServiceDeps;
  readonly #stop = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  /** Calls that still use the journal. */
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;
  /** What several waited for together is said once. */
  #warnedOf: unknown;

  constructor(options: ServiceOptions, deps: ServiceDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async add(text: string, options: AddOptions = {}): Promise<Receipt> {
    const { waitMs, signal, ...rest } = options;
    const [receipt] = await this.addMany([{ text, ...rest }], {
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(signal === undefined ? {} : { signal }),
    });
    return receipt as Receipt;
  }

  addMany(items: readonly NewMemory[], options: WriteOptions = {}): Promise<Receipt[]> {
    return this.#track(() => this.#addMany(items, options));
  }

  async #addMany(items: readonly NewMemory[], options: WriteOptions): Promise<Receipt[]> {
    if (items.length === 0) return [];
    // Twenty modules that a process which only reads need not load.
    const { v7: newId } = await import("uuid");
    const now = this.#deps.clock.now();
    const accepted = await this.#accept(items.length, () => {
      for (const item of items) validateNewMemory(item);
      return this.#deps.journal.acceptPuts(
        items.map((item) => draftOf({ ...item, id: item.id ?? newId() }, now)),
        now,
      );
    });
    return this.#receipts(accepted, options);
  }

  async update(id: string, changes: MemoryChanges, options: WriteOptions = {}): Promise<Receipt> {
    const [receipt] = await this.#track(async () => {
      const accepted = await this.#accept(1, () => {
        validateId(id);
        validateChanges(changes);
        return [this.#deps.journal.acceptChanges(id, changes, this.#deps.clock.now())];
      });
      return this.#receipts(accepted, options);
    });
    return receipt as Receipt;
  }

  search(query: string, options: SearchOptions = {}): Promise<SearchResult> {
    return this.#track(() => {
      const signal = this.#until(options.signal);
      return this.#reading(this.#deps.recall.search(query, { ...options, signal }));
    });
  }

  get(id: string, options: { signal?: AbortSignal } = {}): Promise<GetResult> {
    return this.#track(() => {
      const signal = this.#until(options.signal);
      return this.#reading(this.#deps.recall.get(id, { signal }));
    });
  }

  list(options: ListOptions = {}): ListResult {
    this.#requireOpen();
    const limit = options.limit ?? LIST_DEFAULT;
    validateLimit(limit, LIST_MAX);
    validateFilter(options);
    const now = this.#deps.clock.now();
    if (
      options.after !== undefined &&
      this.#deps.journal.mirror.find(options.after) === undefined
    ) {
      throw new MemoryError(`No memory has the id ${JSON.stringify(options.after)} any more`, {
        code: "MEMORY_NOT_FOUND",
        hint: "Continue after another id, or begin again with the first page.",
      });
    }
    return this.#deps.journal.view(({ mirror }) => ({
      memories: mirror.select(options, now, limit, options.after),
      total: mirror.countMatching(options, now),
    }));
  }

  forget(
    selector: readonly string[] | Filter,
    options: WriteOptions & { dryRun?: boolean } = {},
  ): Promise<ForgetResult> {
    return this.#track(() => this.#forget(selector, options));
  }

  async #forget(
    selector: readonly string[] | Filter,
    options: WriteOptions & { dryRun?: boolean },
  ): Promise<ForgetResult> {
    const { ids, foreign } = await this.#select(selector, this.#until(options.signal));
    if (options.dryRun || ids.length === 0) return { ids, durability: "stored", reason: undefined };
    const now = this.#deps.clock.now();
    const accepted = await this.#accept(ids.length, () =>
      this.#deps.journal.acceptForgets(ids, now, foreign),
    );
    this.#deps.journal.scour();
    const receipts = await this.#receipts(accepted, options);
    const waiting = receipts.find((receipt) => receipt.durability !== "stored");
    return {
      ids: receipts.map((receipt) => receipt.id),
      durability: waiting?.durability ?? "stored",
      reason: waiting?.reason,
    };
  }

  guard<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#deps.access.guard(name, work);
  }

  drain(options: { signal?: AbortSignal } = {}): Promise<DrainReport> {
    return this.#track(() => this.#drain(options));
  }

  async #drain(options: { signal?: AbortSignal }): Promise<DrainReport> {
    const signal = this.#until(options.signal);
    this.#deps.journal.acceptExpired(this.#deps.clock.now(), TTL_SWEEP_MAX);
    for (;;) {
      const end = await this.#deps.drainer.run(signal, true);
      if (end.kind !== "busy") return { ...this.#deps.drainer.report };
      const { records } = this.#deps.journal.outbox.load();
      if (records === 0) return { stored: 0, queued: 0, dead: 0, stoppedBy: undefined };
      await this.#deps.clock.sleep(BUSY_POLL_MS_MAX, signal);
    }
  }

  status(): MemoryStatus {
    this.#requireOpen();
    const { journal, breaker, clock } = this.#deps;
    return journal.view(({ outbox, mirror, unsettled }) => {
      const { lastError, nextAttemptAt, answeredAt } = journal.attempts();
      const oldest = outbox.oldestQueuedAt();
      return {
        ledger: outbox.ledger(),
        outbox: {
          ...outbox.load(),
          oldestAgeMs: oldest === undefined ? undefined : Math.max(0, clock.now() - oldest),
          lastError: lastError ?? undefined,
          nextAttemptAt: nextAttemptAt ?? undefined,
          unsettled: unsettled.count(),
        },
        mirrored: mirror.count(),
        storeLastAnsweredAt: answeredAt ?? undefined,
        breaker: breaker.explain(),
        collection: this.#options.collection,
        salvaged: journal.salvaged(),
      };
    });
  }

  deadLetters(): readonly DeadLetter[] {
    return this.#deps.journal.outbox.deadLetters();
  }

  retryDead(seqs?: readonly number[]): number {
    const wanted = seqs ?? this.deadLetters().map((letter) => letter.seq);
    const revived = this.#deps.journal.decide(
      ({ outbox }) => wanted.filter((seq) => outbox.revive(seq)).length,
    );
    this.#applyInBackground();
    return revived;
  }

  discardDead(seqs: readonly number[]): number {
    return this.#deps.journal.decide((tables) => discardLetters(tables, seqs));
  }

  unmirrored(ids: Iterable<string>): string[] {
    this.#requireOpen();
    const { mirror } = this.#deps.journal;
    const all = [...ids];
    const known = mirror.known(all);
    return all.filter((id) => !known.has(id) && mirror.tombstoneOf(id) === undefined);
  }

  compare(options: { signal?: AbortSignal } = {}): Promise<Comparison> {
    const signal = this.#until(options.signal);
    return this.#track(() =>
      this.#deps.drainer.exclusively(signal, async (inner) => {
        const collection = await this.#deps.access.openForWrite(inner);
        return compareWithMirror(collection, this.#deps.journal.mirror, {
          signal: inner,
          timeoutMs: MAINTENANCE_CALL_MS,
        });
      }),
    );
  }

  rebuild(options: RebuildOptions = {}): Promise<RebuildReport> {
    return this.#track(() => this.#rebuild(options));
  }

  async #rebuild(options: RebuildOptions): Promise<RebuildReport> {
    const { drainer, journal, access, applier, clock } = this.#deps;
    const report = await drainer.exclusively(this.#until(options.signal), (signal, requireLease) =>
      rebuildCollection(
        this.#options.collection,
        options,
        { journal, access, applier, clock },
        { signal, timeoutMs: MAINTENANCE_CALL_MS },
        requireLease,
      ),
    );
    this.#applyInBackground();
    return report;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stop.abort(new Error("the memory service is closed"));
    await Promise.allSettled([this.#deps.drainer.idle(), ...this.#underWay]);
    this.#deps.journal.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #reading<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#deps.journal.translate(error);
    }
  }

  /** Accepts or refuses; what is refused was never accepted, and is counted apart. */
  async #accept(writes: number, body: () => Accepted[]): Promise<Accepted[]> {
    this.#requireOpen();
    try {
      await this.#requireSameEmbedder();
      return body();
    } catch (error) {
      if (error instanceof MemoryError && error.code !== "OUTBOX_UNWRITABLE") {
        this.#deps.journal.work(({ outbox }) => outbox.countRefused(writes));
      }
      throw error;
    }
  }

  /** An embedder that cannot say who it is (a service that is down) must not stop an add. */
  async #requireSameEmbedder(): Promise<void> {
    try {
      await this.#deps.access.requireSameEmbedder();
    } catch (error) {
      if (error instanceof MemoryError || !isEmbedderFault(error)) throw error;
    }
  }

  /** Closing ends what is under way, and waits for it before it takes the journal away. */
  async #track<T>(body: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    const work = body();
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #receipts(accepted: readonly Accepted[], options: WriteOptions): Promise<Receipt[]> {
    const waitMs = options.waitMs ?? this.#options.waitMs;
    const reason = waitMs > 0 ? await this.#waitFor(accepted, waitMs, options.signal) : undefined;
    if (waitMs <= 0) this.#applyInBackground();
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
    const letter = this.deadLetters().find((dead) => dead.seq === seq);
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
    const ends = AbortSignal.any([over.signal, this.#stop.signal, ...(signal ? [signal] : [])]);
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
      if (pending()) this.#applyInBackground();
    }
  }

  /** One run now, and further ones when the backoff says so, as long as this process lives. */
  #applyInBackground(pauseMs: number = BUSY_POLL_MS_MIN): void {
    if (!this.#options.background || this.#closed || this.#retry !== undefined) return;
    const { journal, clock } = this.#deps;
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        void this.#applyOnce();
      },
      Math.max(pauseMs, remainingMs(journal.attempts().nextAttemptAt, clock.now())),
    );
    this.#retry.unref();
  }

  async #applyOnce(): Promise<void> {
    const end = await this.#apply();
    if (end.kind !== "empty") this.#applyInBackground(APPLY_PAUSE_MS);
  }

  /** What is accepted stays accepted: a bug here must be seen, and must not reach the caller. */
  async #apply(): Promise<RunEnd> {
    try {
      return await this.#deps.drainer.run(this.#stop.signal, false);
    } catch (error) {
      if (error !== this.#warnedOf) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
      this.#warnedOf = error;
      return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The ids a selector means; of those that only the store holds, the revisions as well. */
  async #select(
    selector: readonly string[] | Filter,
    signal: AbortSignal | undefined,
  ): Promise<{ ids: string[]; foreign: ReadonlyMap<string, number> }> {
    const { journal } = this.#deps;
    if (!isIdList(selector)) {
      validateFilter(selector);
      if (isEmptyFilter(selector)) throw unscoped();
      return { ids: journal.mirror.idsMatching(selector), foreign: new Map() };
    }
    for (const id of selector) validateId(id);
    const unique = [...new Set(selector)];
    const known = journal.mirror.known(unique);
    const foreign = await this.#foreignAmong(
      unique.filter((id) => !known.has(id)),
      signal,
    );
    return { ids: unique.filter((id) => known.has(id) || foreign.has(id)), foreign };
  }

  async #foreignAmong(
    ids: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, number>> {
    if (ids.length === 0) return new Map();
    const { access, recall } = this.#deps;
    try {
      const records = await access.read(async (inner) => {
        const collection = await access.openForRead(inner);
        return (await collection?.get(ids, { signal: inner })) ?? [];
      }, signal);
      return new Map(
        records
          .map((record) => [record.id, decodeRecord(record)?.revision] as const)
          .filter(([id, revision]) => !recall.isForgotten(id, revision))
          .map(([id, revision]) => [id, revision ?? 0] as const),
      );
    } catch (error) {
      // Without the store an id that this machine does not know is unknown.
      if (isStoreFailure(error)) return new Map();
      throw error;
    }
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any([this.#stop.signal, ...(signal === undefined ? [] : [signal])]);
  }

  #requireOpen(): void {
    if (this.#closed) throw new TypeError("The memory service was closed");
  }
}

const BUSY_POLL_MS_MIN = 2;
const BUSY_POLL_MS_MAX = 50;
/** Between runs in the background that did not end with an empty outbox. */
const APPLY_PAUSE_MS = 50;

function draftOf(item: NewMemory & { id: string }, now: number): Draft {
  return {
    id: item.id,
    text: item.text,
    metadata: item.metadata ?? {},
    scope: item.scope ?? {},
    tags: item.tags ?? [],
    expiresAt: item.ttlMs === undefined ? undefined : expiryOf(now, item.ttlMs),
  };
}

function validateChanges(changes: MemoryChanges): void {
  if (changes.text !== undefined) validateText(changes.text);
  if (changes.metadata !== undefined) validateMetadata(changes.metadata);
  if (changes.tags !== undefined) validateTags(changes.tags);
  if (changes.ttlMs !== undefined && changes.ttlMs !== null) validateTtl(changes.ttlMs);
}

function isIdList(selector: readonly string[] | Filter): selector is readonly string[] {
  return Array.isArray(selector);
}

function isEmbedderFault(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code?.toString().startsWith("EMBEDDER_") ?? false;
}

function unscoped(): MemoryError {
  return new MemoryError("Nothing says what to forget", {
    code: "FORGET_UNSCOPED",
    hint: "Name ids, or a user, agent, session, project, tag or metadata value.",
  });
}
