import type { CircuitBreaker } from "@holdfast/breaker";
import type { Clock } from "@holdfast/core";
import { type Accepted, type Draft, expiryOf, isAtRevision } from "./acceptance.ts";
import type { Applier } from "./applier.ts";
import { compareWithMirror } from "./compare.ts";
import { discardLetters } from "./dead-letters.ts";
import type { Drainer } from "./drainer.ts";
import { selectToForget } from "./forget-selection.ts";
import type { Journal } from "./journal.ts";
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
import { statusOf } from "./memory-status.ts";
import type {
  AddOptions,
  Filter,
  ForgetOptions,
  ForgetResult,
  GetResult,
  ListOptions,
  ListResult,
  MemoryChanges,
  NewMemory,
  Receipt,
  SearchOptions,
  SearchResult,
  UpdateOptions,
  WriteOptions,
} from "./memory-record.ts";
import { Receipts } from "./receipts.ts";
import type { Recall } from "./recall.ts";
import { rebuildCollection } from "./rebuild.ts";
import type { StoreAccess } from "./store-access.ts";
import { UnderWay } from "./under-way.ts";
import {
  validateChanges,
  validateFilter,
  validateId,
  validateLimit,
  validateNewMemory,
} from "./validate.ts";

const LIST_DEFAULT = 50;
const LIST_MAX = 10_000;
const TTL_SWEEP_MAX = 500;
/** How often a drain looks whether another process has finished. */
const TURN_POLL_MS = 50;
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
  readonly #underWay = new UnderWay("The memory service");
  readonly #receipts: Receipts;

  constructor(options: ServiceOptions, deps: ServiceDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#receipts = new Receipts(options, { ...deps, stop: this.#underWay.closed });
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
    return this.#underWay.track(() => this.#addMany(items, options));
  }

  async #addMany(items: readonly NewMemory[], options: WriteOptions): Promise<Receipt[]> {
    if (items.length === 0) return [];
    // Twenty modules that a process which only reads need not load.
    const { v7: newId } = await import("uuid");
    const now = this.#deps.clock.now();
    const accepted = await this.#accept(items.length, () => {
      for (const item of items) validateNewMemory(item);
      return this.#deps.journal.acceptance.puts(
        items.map((item) => draftOf({ ...item, id: item.id ?? newId() }, now)),
        now,
      );
    });
    return this.#receipts.give(accepted, options);
  }

  async update(id: string, changes: MemoryChanges, options: UpdateOptions = {}): Promise<Receipt> {
    const { erase = false } = options;
    const { journal, clock } = this.#deps;
    const [receipt] = await this.#underWay.track(async () => {
      const accepted = await this.#accept(1, () => {
        validateId(id);
        validateChanges(changes);
        return [journal.acceptance.changes(id, changes, clock.now(), erase)];
      });
      if (erase) journal.scourAccepted();
      return this.#receipts.give(accepted, options);
    });
    return receipt as Receipt;
  }

  search(query: string, options: SearchOptions = {}): Promise<SearchResult> {
    return this.#underWay.track(() => {
      const signal = this.#underWay.until(options.signal);
      return this.#reading(this.#deps.recall.search(query, { ...options, signal }));
    });
  }

  get(id: string, options: { signal?: AbortSignal } = {}): Promise<GetResult> {
    return this.#underWay.track(() => {
      const signal = this.#underWay.until(options.signal);
      return this.#reading(this.#deps.recall.get(id, { signal }));
    });
  }

  list(options: ListOptions = {}): ListResult {
    this.#underWay.requireOpen();
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

  forget(selector: readonly string[] | Filter, options: ForgetOptions = {}): Promise<ForgetResult> {
    return this.#underWay.track(() => this.#forget(selector, options));
  }

  async #forget(
    selector: readonly string[] | Filter,
    options: ForgetOptions,
  ): Promise<ForgetResult> {
    const { ids, foreign } = await selectToForget(
      selector,
      this.#deps,
      this.#underWay.until(options.signal),
    );
    if (options.dryRun || ids.length === 0) {
      const { mirror } = this.#deps.journal;
      const left = ids.filter((id) => isAtRevision(mirror, id, options.revisions));
      return { ids: left, durability: "stored", reason: undefined };
    }
    const now = this.#deps.clock.now();
    const accepted = await this.#accept(ids.length, () =>
      this.#deps.journal.acceptance.forgets(ids, now, foreign, options.revisions),
    );
    this.#deps.journal.scourAccepted();
    const receipts = await this.#receipts.give(accepted, options);
    const waiting = receipts.find((receipt) => receipt.durability !== "stored");
    return {
      ids: receipts.map((receipt) => receipt.id),
      durability: waiting?.durability ?? "stored",
      reason: waiting?.reason,
    };
  }

  guard<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { closed } = this.#underWay;
    return this.#underWay.track(() => this.#deps.access.guard(name, work, closed));
  }

  drain(options: { signal?: AbortSignal } = {}): Promise<DrainReport> {
    return this.#underWay.track(() => this.#drain(options));
  }

  async #drain(options: { signal?: AbortSignal }): Promise<DrainReport> {
    const signal = this.#underWay.until(options.signal);
    this.#deps.journal.acceptance.expired(this.#deps.clock.now(), TTL_SWEEP_MAX);
    for (;;) {
      const end = await this.#deps.drainer.run(signal, true);
      if (end.kind !== "busy") return { ...this.#deps.drainer.report };
      const { records } = this.#deps.journal.outbox.load();
      if (records === 0) return { stored: 0, queued: 0, dead: 0, stoppedBy: undefined };
      await this.#deps.clock.sleep(TURN_POLL_MS, signal);
    }
  }

  status(): MemoryStatus {
    this.#underWay.requireOpen();
    return statusOf(this.#options.collection, this.#deps);
  }

  deadLetters(): readonly DeadLetter[] {
    this.#underWay.requireOpen();
    return this.#deps.journal.outbox.deadLetters();
  }

  retryDead(seqs?: readonly number[]): number {
    this.#underWay.requireOpen();
    const wanted = seqs ?? this.deadLetters().map((letter) => letter.seq);
    const revived = this.#deps.journal.decide(
      ({ outbox }) => wanted.filter((seq) => outbox.revive(seq)).length,
    );
    this.#receipts.applyInBackground();
    return revived;
  }

  discardDead(seqs: readonly number[]): number {
    this.#underWay.requireOpen();
    return this.#deps.journal.decide((tables) => discardLetters(tables, seqs));
  }

  unmirrored(ids: Iterable<string>): string[] {
    this.#underWay.requireOpen();
    const { mirror, others } = this.#deps.journal.working;
    const all = [...ids];
    const known = new Set([...mirror.known(all), ...others.known(all)]);
    return all.filter((id) => !known.has(id) && mirror.tombstones.of(id) === undefined);
  }

  compare(options: { signal?: AbortSignal } = {}): Promise<Comparison> {
    const signal = this.#underWay.until(options.signal);
    return this.#underWay.track(() =>
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
    return this.#underWay.track(() => this.#rebuild(options));
  }

  async #rebuild(options: RebuildOptions): Promise<RebuildReport> {
    const { drainer, journal, access, applier, clock } = this.#deps;
    const report = await drainer.exclusively(
      this.#underWay.until(options.signal),
      (signal, requireLease) =>
        rebuildCollection(
          this.#options.collection,
          options,
          { journal, access, applier, clock },
          { signal, timeoutMs: MAINTENANCE_CALL_MS },
          requireLease,
        ),
    );
    this.#receipts.applyInBackground();
    return report;
  }

  async close(): Promise<void> {
    await this.#underWay.close();
    await this.#deps.drainer.idle();
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
    this.#underWay.requireOpen();
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
}

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

function isEmbedderFault(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code?.toString().startsWith("EMBEDDER_") ?? false;
}
