import { type Clock, HoldfastError } from "@holdfast/core";
import { type Distance, type Match, StoreError, type StoredRecord } from "@holdfast/store";
import type { Journal } from "./journal.ts";
import type { Embedder } from "./memory.ts";
import type {
  Filter,
  GetResult,
  Hit,
  MemoryRecord,
  RecallSource,
  SearchOptions,
  SearchResult,
} from "./memory-record.ts";
import { isEmptyFilter } from "./filter-sql.ts";
import { MemoryError, MemoryServiceUnavailableError } from "./memory-error.ts";
import type { MirrorRow } from "./mirror-row.ts";
import { searchMirror } from "./mirror-search.ts";
import { decodeContent, decodeRecord, encodeFilter, type MemoryContent } from "./record-codec.ts";
import { isStoreFailure, type StoreAccess } from "./store-access.ts";
import { validateFilter, validateId, validateLimit, validateText } from "./validate.ts";

const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 1_000;
/** Asked beyond the limit while the store lags: what was forgotten is taken out of its answer. */
const SPARE_HITS = 4;
const ANSWER_NOTED_EVERY_MS = 5_000;
/** States of the collection that one answer is asked of at most. */
const ROUNDS_MAX = 5;
const REPLACED_RETRY_MS = 1_000;

interface RecallDeps {
  journal: Journal;
  access: StoreAccess;
  embedder: Embedder;
  clock: Clock;
}

/**
 * Reading: the store answers, corrected by what this machine knows to be newer; when it cannot,
 * the mirror answers, and says so.
 */
export class Recall {
  readonly #deps: RecallDeps;
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: RecallDeps) {
    this.#deps = deps;
  }

  async search(query: string, options: SearchOptions): Promise<SearchResult> {
    const limit = options.limit ?? LIMIT_DEFAULT;
    validateText(query);
    validateLimit(limit, LIMIT_MAX);
    validateFilter(options);
    try {
      return await this.#settled(() => this.#searchStore(query, options, limit));
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = degradedReason(error);
      const { journal, clock } = this.#deps;
      return journal.view(() => ({
        hits: searchMirror(journal, query, options, { limit, now: clock.now() }),
        ...this.#source(reason, options.exceptTags),
      }));
    }
  }

  /**
   * An answer of the store, weighed against the mirror, from one state of both: a restore may
   * replace them meanwhile, and then it is asked again.
   */
  async #settled<T>(ask: () => Promise<T>): Promise<T> {
    const { journal } = this.#deps;
    for (let round = 1; ; round++) {
      const generation = journal.generation();
      const answer = await ask();
      if (journal.generation() === generation) return answer;
      if (round === ROUNDS_MAX) {
        throw new MemoryServiceUnavailableError("The collection is replaced again and again", {
          retryAfterMs: REPLACED_RETRY_MS,
          cause: undefined,
        });
      }
    }
  }

  async get(id: string, options: { signal?: AbortSignal }): Promise<GetResult> {
    validateId(id);
    return this.#settled(() => this.#get(id, options));
  }

  async #get(id: string, options: { signal?: AbortSignal }): Promise<GetResult> {
    const { journal, clock } = this.#deps;
    const ours = journal.mirror.record(id);
    if (ours !== undefined && isExpired(ours, clock.now())) return this.#found(undefined);
    // What the store does not hold yet, or no longer should, only the mirror knows.
    if (ours !== undefined && ours.durability !== "stored") return this.#found(ours);
    const last = ours ?? this.#lastSeen(id);
    try {
      const record = await this.#getFromStore(id, options.signal);
      return this.#judge(id, ours, record);
    } catch (error) {
      options.signal?.throwIfAborted();
      return { memory: last, ...this.#source(degradedReason(error)) };
    }
  }

  /** Another program's record as the last sync saw it. */
  #lastSeen(id: string): MemoryRecord | undefined {
    const { mirror, others } = this.#deps.journal.working;
    if (mirror.find(id) !== undefined || !others.known([id]).has(id)) return undefined;
    const record = others.mirror.record(id);
    return record === undefined || isExpired(record, this.#deps.clock.now()) ? undefined : record;
  }

  #found(memory: MemoryRecord | undefined): GetResult {
    return { memory, ...this.#source(undefined) };
  }

  async #searchStore(query: string, options: SearchOptions, limit: number): Promise<SearchResult> {
    const { journal, access, embedder } = this.#deps;
    const spare = journal.outbox.load().records > 0 ? SPARE_HITS : 0;
    await access.requireSameEmbedder();
    access.requireReadable();
    const [vector] = await embedder.embed(
      [query],
      options.signal === undefined ? {} : { signal: options.signal },
    );
    const wanted = vector as Float32Array;
    for (let asked = limit + spare; ; asked *= 4) {
      let { matches, distance } = await this.#ask(wanted, options, asked);
      const held = this.#missed(matches, options, asked);
      if (held > 0) {
        // What was stored while it was asked may be missing from one answer, and not from two.
        ({ matches, distance } = await this.#ask(wanted, options, asked));
        if (Math.min(held, this.#missed(matches, options, asked)) > 2 * matches.length)
          throw incomplete(matches.length, held);
      }
      this.#noteAnswer();
      const { hits, ...source } = this.#weigh(matches, distance, options);
      if (hits.length >= limit || matches.length < asked || asked >= LIMIT_MAX * 4) {
        return { hits: hits.slice(0, limit), ...source };
      }
    }
  }

  async #ask(
    vector: Float32Array,
    options: SearchOptions,
    limit: number,
  ): Promise<{ matches: Match[]; distance: Distance }> {
    const { access } = this.#deps;
    return access.read(async (signal) => {
      const collection = await access.openForRead(signal);
      if (collection === undefined) return { matches: [], distance: "cosine" };
      const where = encodeFilter(options);
      const matches = await collection.query(vector, { limit, where, signal });
      return { matches, distance: collection.info.distance };
    }, options.signal);
  }

  /**
   * How many memories the store must have had to choose from, where it brought less than half of
   * them; else 0. Its search is approximate, and may pass over some of what a filter leaves.
   */
  #missed(matches: readonly Match[], options: SearchOptions, asked: number): number {
    const { journal, clock } = this.#deps;
    if (2 * matches.length >= asked) return 0;
    const isFiltered = !isEmptyFilter(options);
    if (isFiltered && matches.length > 0) return 0;
    const held = journal.mirror.countStored(options, clock.now(), isFiltered ? 1 : asked);
    return held > 2 * matches.length ? held : 0;
  }

  /** What the store answered as this machine knows it at one moment: one look at the file, not ten. */
  #weigh(matches: readonly Match[], distance: Distance, options: SearchOptions): SearchResult {
    return this.#deps.journal.view(() => ({
      hits: matches.flatMap((match) => this.#hit(match, distance, options)),
      ...this.#source(undefined, options.exceptTags),
    }));
  }

  /** A match as this machine knows it; nothing for what was forgotten, changed away or expired. */
  #hit(match: Match, distance: Distance, filter: Filter): Hit[] {
    const row = this.#deps.journal.mirror.contentOf(match.id);
    const decoded = decodeRecord(match);
    if (row === undefined) {
      if (this.isForgotten(match.id, decoded?.revision)) return [];
    }
    const newer = row !== undefined && row.revision >= (decoded?.revision ?? 0);
    const content = newer ? row.content : decodeContent(match);
    if (isExpired(content, this.#deps.clock.now())) return [];
    if (newer && !matchesFilter(content, filter)) return [];
    if (filter.exceptTags?.some((tag) => content.tags.includes(tag)) === true) return [];
    const revision = newer ? row.revision : (decoded?.revision ?? 0);
    const score = scoreOf(match.distance, distance);
    return [{ id: match.id, ...content, revision, score }];
  }

  /** Whether a record of the store is one that was forgotten here and is still to be deleted there. */
  isForgotten(id: string, revision: number | undefined): boolean {
    const { mirror, outbox } = this.#deps.journal;
    const buried = mirror.tombstones.of(id);
    if (buried === undefined) return false;
    // Without a revision another program wrote it, perhaps after we forgot.
    return revision === undefined ? outbox.hasQueued(id) : revision <= buried.revision;
  }

  async #getFromStore(id: string, signal?: AbortSignal): Promise<StoredRecord | undefined> {
    const { access } = this.#deps;
    const records = await access.read(async (inner) => {
      const collection = await access.openForRead(inner);
      return (await collection?.get([id], { signal: inner })) ?? [];
    }, signal);
    this.#noteAnswer();
    return records[0];
  }

  /** Weighs the store's record against the mirror's, and has a loss in the store put right. */
  #judge(id: string, ours: MemoryRecord | undefined, record: StoredRecord | undefined): GetResult {
    const { journal, clock } = this.#deps;
    const row = journal.mirror.find(id);
    const decoded = record && decodeRecord(record);
    if (row === undefined || ours === undefined) {
      if (record === undefined) return this.#found(undefined);
      if (this.isForgotten(id, decoded?.revision)) return this.#found(undefined);
      const content = decoded?.content ?? decodeContent(record);
      if (isExpired(content, clock.now())) return this.#found(undefined);
      return this.#found({
        id,
        ...content,
        revision: decoded?.revision ?? 0,
        durability: "stored",
      });
    }
    if (decoded !== undefined && decoded.revision > row.revision) {
      if (isExpired(decoded.content, clock.now())) return this.#found(undefined);
      return this.#found({
        id,
        ...decoded.content,
        revision: decoded.revision,
        durability: "stored",
      });
    }
    // Written while the store was asked: the mirror knows the newer.
    if (row.revision !== ours.revision) return this.#found(journal.mirror.record(id));
    if (agrees(row, record)) return this.#found(ours);
    noting(() => journal.work(({ unsettled }) => unsettled.doubt([id], clock.now())));
    const what = record === undefined ? "has lost" : "holds another text or revision of";
    return { memory: ours, ...this.#source(`the store ${what} this memory; it will be put right`) };
  }

  #source(reason: string | undefined, exceptTags: readonly string[] = []): RecallSource {
    const { journal, clock } = this.#deps;
    const { answeredAt } = journal.attempts.state();
    // Undefined as well when the clock was set back since: how long ago that was cannot be said.
    const ageMs = answeredAt === null ? -1 : clock.now() - answeredAt;
    return {
      degraded: reason !== undefined,
      reason,
      ageMs: ageMs < 0 ? undefined : ageMs,
      queued: journal.outbox.queuedExcept(exceptTags),
    };
  }

  #noteAnswer(): void {
    const { journal, clock } = this.#deps;
    if (clock.monotonic() - this.#notedAt < ANSWER_NOTED_EVERY_MS) return;
    this.#notedAt = clock.monotonic();
    noting(() => journal.attempts.answered(clock.now()));
  }
}

/** The cosine of two vectors of length 1, as each measure gives it. */
function scoreOf(found: number, distance: Distance): number {
  const cosine = distance === "l2" ? 1 - found / 2 : 1 - found;
  // What has no distance, as another program's vector that is none, is near to nothing.
  return Number.isNaN(cosine) ? 0 : Math.min(1, Math.max(0, cosine));
}

/** The collection was emptied or made anew by somebody else, say: its answer is none. */
function incomplete(found: number, held: number): StoreError {
  return new StoreError(`The store finds ${found} of at least ${held} memories that it held`, {
    code: "STORE_UNAVAILABLE",
    hint: "See what would be done with: holdfast memory recover --dry-run",
  });
}

/** A disk that takes no notes makes an answer no worse; it is said, and left to the next write. */
function noting(body: () => void): void {
  try {
    body();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/** Why the mirror answers; rethrows what is the caller's fault or a bug. */
function degradedReason(error: unknown): string {
  if (error instanceof MemoryError) throw error;
  if (isStoreFailure(error) || isEmbedderFailure(error)) return (error as Error).message;
  throw error;
}

function isEmbedderFailure(error: unknown): boolean {
  return error instanceof HoldfastError && error.code.startsWith("EMBEDDER_");
}

function agrees(row: MirrorRow, record: StoredRecord | undefined): boolean {
  if (record === undefined || record.document !== row.content.text) return false;
  const decoded = decodeRecord(record);
  return decoded?.revision === row.revision && decoded.checksum === row.checksum;
}

function isExpired(content: Pick<MemoryContent, "expiresAt">, now: number): boolean {
  return content.expiresAt !== undefined && content.expiresAt <= now;
}

function matchesFilter(content: MemoryContent, filter: Filter): boolean {
  const scope = Object.entries(filter.scope ?? {}).every(
    ([key, value]) =>
      value === undefined || content.scope[key as keyof typeof content.scope] === value,
  );
  const tags = (filter.tags ?? []).every((tag) => content.tags.includes(tag));
  return (
    scope &&
    tags &&
    Object.entries(filter.where ?? {}).every(([key, value]) => content.metadata[key] === value)
  );
}
