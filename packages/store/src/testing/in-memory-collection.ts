import {
  assertBatch,
  assertCount,
  assertRecords,
  assertVector,
  assertWhere,
  lastOfEachId,
  sameEmbedder,
} from "../storable.ts";
import { StoreError } from "../store-error.ts";
import type {
  CallOptions,
  CollectionInfo,
  Distance,
  Match,
  QueryOptions,
  Metadata,
  ScanOptions,
  StoredRecord,
  StoreLimits,
  VectorCollection,
  VectorRecord,
  Where,
} from "../vector-store.ts";
import type { FaultGate, StoreOperation } from "./fault-gate.ts";
import type { RawCollection, RawRecord } from "./in-memory-vector-store.ts";

export interface InMemoryCollectionDeps {
  gate: FaultGate;
  limits: StoreLimits;
  lists: boolean;
  exists(collection: RawCollection): boolean;
  find(name: string): RawCollection;
}

export class InMemoryCollection implements VectorCollection {
  readonly info: CollectionInfo;
  #collection: RawCollection;
  readonly #deps: InMemoryCollectionDeps;

  constructor(opened: RawCollection, deps: InMemoryCollectionDeps) {
    const { name, embedder, distance, settings } = opened;
    this.info = { name, embedder, distance, settings };
    this.#collection = opened;
    this.#deps = deps;
  }

  async upsert(records: readonly VectorRecord[], options?: CallOptions): Promise<void> {
    assertRecords(records, this.info.embedder, this.#deps.limits.batchRecordsMax);
    for (const record of records) assertFits(record, this.#deps.limits.batchBytesMax);
    if (records.length === 0) return;
    const ids = records.map(({ id }) => id);
    await this.#run("upsert", ids, options, ({ records: held }) => {
      if (!this.#deps.lists) records.forEach(assertNoList);
      for (const record of lastOfEachId(records)) {
        held.set(record.id, merge(held.get(record.id), record));
      }
    });
  }

  async get(
    ids: readonly string[],
    options?: CallOptions & { embeddings?: boolean },
  ): Promise<StoredRecord[]> {
    if (ids.length === 0) return [];
    return this.#run("get", ids, options, ({ records }) =>
      [...new Set(ids)].flatMap((id) => {
        const record = records.get(id);
        return record === undefined ? [] : [stored(id, record, options?.embeddings)];
      }),
    );
  }

  async query(embedding: Float32Array, options: QueryOptions): Promise<Match[]> {
    assertCount("limit", options.limit, 0);
    assertVector(embedding, this.info.embedder?.dimension);
    const where = options.where ?? {};
    assertWhere(where);
    if (options.limit === 0) return [];
    return this.#run("query", [], options, ({ records, distance }) =>
      [...records]
        .filter(([, record]) => matches(record.metadata, where))
        .map(([id, record]) => ({
          ...stored(id, record, false),
          distance: DISTANCES[distance](embedding, record.embedding),
        }))
        .toSorted((left, right) => left.distance - right.distance)
        .slice(0, options.limit),
    );
  }

  async delete(ids: readonly string[], options?: CallOptions): Promise<void> {
    assertBatch("delete", ids.length, this.#deps.limits.batchRecordsMax);
    if (ids.length === 0) return;
    await this.#run("delete", ids, options, ({ records }) => {
      for (const id of ids) records.delete(id);
    });
  }

  async count(options?: CallOptions): Promise<number> {
    return this.#run("count", [], options, ({ records }) => records.size);
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<StoredRecord[], void, undefined> {
    const pageSize = options.pageSize ?? 500;
    assertCount("pageSize", pageSize, 1);
    const where = options.where ?? {};
    assertWhere(where);
    for (let offset = 0; ; offset += pageSize) {
      const page = await this.#run("scan", [], options, ({ records }) =>
        [...records]
          .filter(([, record]) => matches(record.metadata, where))
          .slice(offset, offset + pageSize)
          .map(([id, record]) => stored(id, record, options.embeddings)),
      );
      if (page.length > 0) yield page;
      if (page.length < pageSize) return;
    }
  }

  #run<T>(
    operation: StoreOperation,
    ids: readonly string[],
    options: CallOptions | undefined,
    apply: (collection: RawCollection) => T,
  ): Promise<T> {
    const target = { operation, collection: this.#collection.name, ids };
    return this.#deps.gate.run(target, options, () => apply(this.#current()));
  }

  #current(): RawCollection {
    if (this.#deps.exists(this.#collection)) return this.#collection;
    const heir = this.#deps.find(this.info.name);
    if (!sameEmbedder(this.info.embedder, heir.embedder)) {
      throw new StoreError(`The collection ${heir.name} was made anew by another model`, {
        code: "EMBEDDER_MISMATCH",
      });
    }
    this.#collection = heir;
    return heir;
  }
}

function assertFits(record: VectorRecord, bytesMax: number): void {
  const { id, document, metadata, embedding } = record;
  const bytes = Buffer.byteLength(JSON.stringify([id, document, metadata])) + embedding.byteLength;
  if (bytes <= bytesMax) return;
  throw new StoreError(`The record ${JSON.stringify(id)} is larger than a request may be`, {
    code: "STORE_REJECTED",
  });
}

function assertNoList({ id, metadata }: VectorRecord): void {
  const list = Object.entries(metadata).find(([, value]) => Array.isArray(value));
  if (list === undefined) return;
  throw new StoreError(`${list[0]} of ${JSON.stringify(id)} is a list, which this store has not`, {
    code: "STORE_REJECTED",
  });
}

function merge(existing: RawRecord | undefined, record: VectorRecord): RawRecord {
  const kept = Object.entries(existing?.metadata ?? {}).filter(
    ([key]) => !record.staleKeys?.includes(key),
  );
  return {
    document: record.document ?? existing?.document ?? null,
    metadata: Object.fromEntries([...kept, ...Object.entries(copyOf(record.metadata))]),
    embedding: record.embedding.slice(),
  };
}

function copyOf(metadata: Metadata): Metadata {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      Array.isArray(value) ? [...value] : value,
    ]),
  );
}

function stored(id: string, record: RawRecord, embeddings: boolean | undefined): StoredRecord {
  return {
    id,
    document: record.document,
    metadata: copyOf(record.metadata),
    ...(embeddings ? { embedding: record.embedding.slice() } : {}),
  };
}

function matches(metadata: Metadata, where: Where): boolean {
  return Object.entries(where).every(
    ([key, value]) => Object.hasOwn(metadata, key) && metadata[key] === value,
  );
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? Number.NaN), 0);
}

const DISTANCES: Readonly<Record<Distance, (left: Float32Array, right: Float32Array) => number>> = {
  cosine: (left, right) =>
    1 - dot(left, right) / Math.max(Math.sqrt(dot(left, left) * dot(right, right)), 1e-30),
  l2: (left, right) =>
    left.reduce((sum, value, index) => sum + (value - (right[index] ?? Number.NaN)) ** 2, 0),
  ip: (left, right) => 1 - dot(left, right),
};
