import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { StoreError, type StoreErrorCode } from "../../store-error.ts";
import type {
  CollectionSpec,
  EmbedderIdentity,
  StoredRecord,
  VectorCollection,
  VectorRecord,
  VectorStore,
} from "../../vector-store.ts";

/** One requirement of the port. `run` rejects with an AssertionError where it is not met. */
export interface ContractCase {
  name: string;
  run: () => Promise<void>;
}

export const EMBEDDER: EmbedderIdentity = { provider: "contract", model: "axes", dimension: 4 };

/** What a case works with: a store of its own, and collections that are deleted afterwards. */
export class Bench {
  readonly store: VectorStore;
  readonly #names: string[] = [];

  constructor(store: VectorStore) {
    this.store = store;
  }

  /** A name that no other case uses. */
  name(): string {
    const name = `contract-${randomUUID()}`;
    this.#names.push(name);
    return name;
  }

  create(spec: Partial<CollectionSpec> = {}): Promise<VectorCollection> {
    return this.store.createCollection({ name: this.name(), embedder: EMBEDDER, ...spec });
  }

  async clear(): Promise<void> {
    for (const name of this.#names.splice(0)) {
      try {
        await this.store.deleteCollection(name);
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "COLLECTION_NOT_FOUND") throw error;
      }
    }
  }
}

export type CaseBody = (bench: Bench) => Promise<void>;

export function toCases(
  open: () => Promise<VectorStore>,
  bodies: Readonly<Record<string, CaseBody>>,
): ContractCase[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name,
    run: async () => {
      const store = await open();
      const bench = new Bench(store);
      try {
        await body(bench);
        await bench.clear();
      } finally {
        await store.close();
      }
    },
  }));
}

/** A record near the axis that `axis` names; everything else can be replaced. */
export function record(
  id: string,
  changes: Partial<VectorRecord> & { axis?: number } = {},
): VectorRecord {
  const { axis = 0, ...rest } = changes;
  const embedding = Float32Array.from([0.25, 0.25, 0.25, 0.25]);
  embedding[axis] = 1;
  return { id, document: `text of ${id}`, metadata: {}, embedding, ...rest };
}

/** The one record that has this id. */
export async function only(collection: VectorCollection, id: string): Promise<StoredRecord> {
  const found = await collection.get([id], { embeddings: true });
  assert.equal(found.length, 1, `expected one record for ${JSON.stringify(id)}`);
  return found[0] as StoredRecord;
}

/** Rejects with this code, as a StoreError that does not claim more than it knows. */
export async function fails(
  call: Promise<unknown>,
  code: StoreErrorCode,
  outcomeUnknown = false,
): Promise<StoreError> {
  const error = await call.then(
    () => assert.fail(`resolved instead of failing with ${code}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StoreError, `not a StoreError: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.equal(error.outcomeUnknown, outcomeUnknown, "outcomeUnknown");
  return error;
}

/** Equal up to what a cosine index loses by normalising: 1e-6 of the vector's length. */
export function assertVectorsClose(actual: Float32Array | undefined, wanted: Float32Array): void {
  assert.ok(actual instanceof Float32Array, "the embedding is a Float32Array");
  assert.equal(actual.length, wanted.length);
  const length = Math.hypot(...wanted);
  for (const [index, value] of wanted.entries()) {
    const difference = Math.abs((actual[index] ?? Number.NaN) - value);
    assert.ok(difference <= 1e-6 * length, `component ${index}: ${actual[index]} for ${value}`);
  }
}

export function ids(records: readonly { id: string }[]): string[] {
  return records.map(({ id }) => id).toSorted();
}

/** All pages of a scan. */
export async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const page of pages) collected.push(page);
  return collected;
}
