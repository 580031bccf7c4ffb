import type { CircuitBreaker } from "@holdfast/breaker";
import { CallTimeoutError, CircuitOpenError } from "@holdfast/breaker";
import { HoldfastError } from "@holdfast/core";
import {
  type EmbedderIdentity,
  sameEmbedder,
  StoreError,
  type VectorCollection,
  type VectorStore,
} from "@holdfast/store";
import type { Journal } from "./journal.ts";
import type { Embedder } from "./memory.ts";
import { MemoryError, MemoryServiceUnavailableError } from "./memory-error.ts";

/** Time limits of one call to the store, in milliseconds. */
export interface TimeLimits {
  /** Default 10 s. */
  readMs: number;
  /** Default 30 s: a batch may make the store persist its index. */
  writeMs: number;
}

const SWAP_RETRY_MS = 200;

/**
 * The one way to the store: under the breaker, with a time limit, and only into a collection whose
 * vectors our embedder made.
 */
export class StoreAccess {
  readonly #store: VectorStore;
  readonly #embedder: Embedder;
  readonly #breaker: CircuitBreaker;
  readonly #journal: Journal;
  readonly #name: string;
  readonly #limits: TimeLimits;
  #open: { collection: VectorCollection; generation: number } | undefined;
  #known: { identity: EmbedderIdentity; generation: number } | undefined;
  #noted: VectorCollection | undefined;

  constructor(
    options: { collection: string; limits: TimeLimits },
    deps: { store: VectorStore; embedder: Embedder; breaker: CircuitBreaker; journal: Journal },
  ) {
    this.#name = options.collection;
    this.#limits = options.limits;
    this.#store = deps.store;
    this.#embedder = deps.embedder;
    this.#breaker = deps.breaker;
    this.#journal = deps.journal;
  }

  get store(): VectorStore {
    return this.#store;
  }

  /** The collection's name. */
  get collection(): string {
    return this.#name;
  }

  async read<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#requireNoSwap();
    return this.guard("read", work, signal, this.#limits.readMs);
  }

  async write<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#requireNoSwap();
    return this.guard("write", work, signal, this.#limits.writeMs);
  }

  /**
   * Whether a read would be refused: then its query need not be embedded.
   * @throws MemoryServiceUnavailableError when the breaker is open.
   */
  requireReadable(): void {
    if (this.#breaker.state("read") !== "open") return;
    const { why, retryAfterMs } = this.#breaker.explain("read");
    // A probe is due: this read may be it.
    if (retryAfterMs === null) return;
    throw new MemoryServiceUnavailableError(`The circuit to the store is open: ${why}`, {
      retryAfterMs,
      cause: undefined,
    });
  }

  /** @throws MemoryServiceUnavailableError when the breaker refuses; else what `work` throws. */
  async guard<T>(
    operation: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
    timeoutMs?: number,
  ): Promise<T> {
    try {
      return await this.#breaker.execute(work, {
        operation,
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    } catch (error) {
      if (isNotFound(error)) throw this.#lost(error);
      if (!(error instanceof CircuitOpenError)) throw error;
      throw new MemoryServiceUnavailableError(error.message, {
        retryAfterMs: error.retryAfterMs,
        cause: error,
      });
    }
  }

  /**
   * Checks, before anything is accepted, that the memories here were embedded by the model in use.
   * @throws MemoryError `EMBEDDER_MISMATCH`.
   */
  async requireSameEmbedder(): Promise<EmbedderIdentity> {
    // A restore may have embedded all anew, with another model.
    const generation = this.#journal.generation();
    if (this.#known?.generation === generation) return this.#known.identity;
    const identity = await this.#embedder.identity();
    const recorded = this.#journal.embedder();
    if (recorded === undefined) this.#journal.recordEmbedder(identity);
    else if (!sameEmbedder(recorded, identity)) throw mismatch(this.#name, recorded, identity);
    this.#known = { identity, generation };
    return identity;
  }

  /** The collection, or undefined when it does not exist and nothing says that it should. */
  async openForRead(signal: AbortSignal): Promise<VectorCollection | undefined> {
    const generation = this.#journal.generation();
    if (this.#open?.generation !== generation) {
      const collection = await this.#find(signal);
      this.#open = collection && { collection, generation };
    }
    return this.#open?.collection;
  }

  /** The collection, created when it does not exist and never did. */
  async openForWrite(signal: AbortSignal): Promise<VectorCollection> {
    const collection = (await this.openForRead(signal)) ?? (await this.#create(signal));
    if (this.#noted !== collection) this.#journal.noteForm(collection.info);
    this.#noted = collection;
    return collection;
  }

  async #create(signal: AbortSignal): Promise<VectorCollection> {
    const embedder = await this.requireSameEmbedder();
    try {
      return await this.#store.createCollection({ name: this.#name, embedder }, { signal });
    } catch (error) {
      // Another process was first.
      const raced = error instanceof StoreError && error.code === "COLLECTION_EXISTS";
      const opened = raced ? await this.openForRead(signal) : undefined;
      if (opened === undefined) throw error;
      return opened;
    }
  }

  async #find(signal: AbortSignal): Promise<VectorCollection | undefined> {
    const identity = await this.requireSameEmbedder();
    let collection: VectorCollection;
    try {
      collection = await this.#store.openCollection(this.#name, { signal });
    } catch (error) {
      // One that never held a memory is not missed.
      if (!isNotFound(error) || this.#isMissed()) throw error;
      return undefined;
    }
    await requireComparable(collection, identity, signal);
    return collection;
  }

  /** Whether the store was ever seen to hold anything in the collection. */
  #isMissed(): boolean {
    const { mirror, others } = this.#journal.working;
    return mirror.hasApplied() || others.count().held > 0;
  }

  /** Until a restore's swap is finished the store still holds the state that it replaces. */
  #requireNoSwap(): void {
    if (this.#journal.pendingSwap() === undefined) return;
    throw new MemoryServiceUnavailableError(
      `The collection ${this.#name} is being replaced by a restored one`,
      { retryAfterMs: SWAP_RETRY_MS, cause: undefined },
    );
  }

  /** The collection is gone, although the store held memories of it: an empty answer would lie. */
  #lost(cause: StoreError): StoreError {
    this.#open = undefined;
    if (!this.#isMissed()) return cause;
    return new StoreError(
      `The store has lost the collection ${this.#name}, which held memories before`,
      {
        code: "COLLECTION_NOT_FOUND",
        hint: "Make it anew from this machine's mirror with: holdfast memory rebuild",
        cause,
      },
    );
  }
}

function isNotFound(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND";
}

/**
 * How a breaker is to count an error of the store: only what says that the store is ill counts
 * against it. Give it to a breaker as `classify`.
 */
export function breakerOutcome(error: unknown): "failure" | "ignored" {
  if (error instanceof StoreError) {
    return error.verdict === "retryable" && error.code !== "STORE_BUSY" ? "failure" : "ignored";
  }
  return error instanceof HoldfastError && !error.retryable ? "ignored" : "failure";
}

/** Whether a failed write is certain not to have reached the store. */
export function isCertainlyUnsent(error: unknown): boolean {
  if (error instanceof MemoryServiceUnavailableError) return true;
  return error instanceof StoreError && !error.outcomeUnknown;
}

/** Whether the failure is the store's, so that the mirror may answer instead. */
export function isStoreFailure(error: unknown): boolean {
  if (error instanceof MemoryServiceUnavailableError || error instanceof CallTimeoutError)
    return true;
  return error instanceof StoreError && error.verdict !== "callers-fault";
}

/** A collection that another program made says nothing of its model: then dimensions must agree. */
async function requireComparable(
  collection: VectorCollection,
  ours: EmbedderIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { name, embedder } = collection.info;
  if (embedder !== undefined) {
    if (!sameEmbedder(embedder, ours)) throw mismatch(name, embedder, ours);
    return;
  }
  for await (const [record] of collection.scan({ pageSize: 1, embeddings: true, signal })) {
    const dimension = record?.embedding?.length;
    if (dimension === undefined || dimension === ours.dimension) return;
    throw mismatch(name, { provider: "unknown", model: "unknown", dimension }, ours);
  }
}

function mismatch(name: string, theirs: EmbedderIdentity, ours: EmbedderIdentity): MemoryError {
  const say = (identity: EmbedderIdentity): string =>
    `${identity.provider}/${identity.model} (${identity.dimension} dimensions)`;
  return new MemoryError(
    `The collection ${name} holds vectors of ${say(theirs)}; the embedder in use is ${say(ours)}`,
    {
      code: "EMBEDDER_MISMATCH",
      hint: "Set embedder back to the one that made it, or name another vector_store.config.collection_name.",
    },
  );
}
