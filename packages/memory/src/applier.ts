import { StoreError, type VectorRecord } from "@holdfast/store";
import type { Journal } from "./journal.ts";
import type { Embedder } from "./memory.ts";
import type { MirrorRow } from "./mirror-row.ts";
import type { StoreAccess } from "./store-access.ts";

/** What the store is to hold: for each id the mirror's state, not the history that led there. */
export interface Batch {
  puts: PendingPut[];
  forgets: { id: string; revision: number }[];
}

export interface PendingPut {
  row: MirrorRow;
  /** Undefined until it is embedded. */
  vector: Float32Array | undefined;
}

/** A record that the store refuses whatever happens. */
export interface Refusal {
  id: string;
  revision: number;
  reason: string;
}

/** Brings the store to a desired state. */
export class Applier {
  readonly #journal: Journal;
  readonly #access: StoreAccess;
  readonly #embedder: Embedder;

  constructor(deps: { journal: Journal; access: StoreAccess; embedder: Embedder }) {
    this.#journal = deps.journal;
    this.#access = deps.access;
    this.#embedder = deps.embedder;
  }

  /** Computes the vectors that are missing. They are kept even if sending then fails. */
  async embed(puts: readonly PendingPut[], signal: AbortSignal): Promise<void> {
    const missing = puts.filter((put) => put.vector === undefined);
    if (missing.length === 0) return;
    await this.#access.requireSameEmbedder();
    const texts = missing.map((put) => put.row.content.text);
    const vectors = await this.#embedder.embed(texts, { signal });
    this.#journal.work(({ mirror }) => {
      for (const [index, put] of missing.entries()) {
        put.vector = vectors[index];
        mirror.keepVector(put.row, vectors[index] as Float32Array);
      }
    });
  }

  /**
   * Sends a batch whose vectors are known. A record that is refused for its own sake is singled
   * out, so that it does not hold up the others.
   */
  async send(batch: Batch, signal: AbortSignal): Promise<Refusal[]> {
    const refusals = await this.#upsert(batch.puts, signal);
    const ids = batch.forgets.map((forget) => forget.id);
    if (ids.length > 0) {
      await this.#access.write(async (inner) => {
        const collection = await this.#access.openForWrite(inner);
        await collection.delete(ids, { signal: inner });
      }, signal);
    }
    return refusals;
  }

  async #upsert(puts: readonly PendingPut[], signal: AbortSignal): Promise<Refusal[]> {
    if (puts.length === 0) return [];
    try {
      await this.#access.write(async (inner) => {
        const collection = await this.#access.openForWrite(inner);
        await collection.upsert(
          puts.map((put) => this.#record(put)),
          { signal: inner },
        );
      }, signal);
      return [];
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [only] = puts;
      if (puts.length === 1 && only !== undefined) {
        return [{ id: only.row.id, revision: only.row.revision, reason: error.message }];
      }
      const middle = Math.ceil(puts.length / 2);
      const first = await this.#upsert(puts.slice(0, middle), signal);
      return [...first, ...(await this.#upsert(puts.slice(middle), signal))];
    }
  }

  #record({ row, vector }: PendingPut): VectorRecord {
    const metadata = this.#journal.mirror.encode(row);
    const staleKeys = row.sentKeys.filter((key) => !Object.hasOwn(metadata, key));
    return {
      id: row.id,
      document: row.content.text,
      metadata,
      embedding: vector as Float32Array,
      ...(staleKeys.length === 0 ? {} : { staleKeys }),
    };
  }
}

/** Whether the store will never take this request. */
export function isRefusal(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "STORE_REJECTED" && !error.outcomeUnknown;
}
