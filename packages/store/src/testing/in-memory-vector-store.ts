import type { Clock } from "@holdfast/core";
import { assertCollectionName } from "../storable.ts";
import { StoreError } from "../store-error.ts";
import type {
  CallOptions,
  CollectionForm,
  CollectionInfo,
  CollectionSpec,
  Metadata,
  StoreLimits,
  VectorCollection,
  VectorStore,
} from "../vector-store.ts";
import { FaultGate, type FaultHook, type StoreOperation } from "./fault-gate.ts";
import { InMemoryCollection } from "./in-memory-collection.ts";

/** A record as the database has it. */
export interface RawRecord {
  document: string | null;
  metadata: Metadata;
  embedding: Float32Array;
}

/** A collection as the database has it; its identity is the object. */
export interface RawCollection extends CollectionForm {
  name: string;
  records: Map<string, RawRecord>;
}

export interface InMemoryStoreOptions {
  faults?: FaultHook;
  /** For time limits. Default the system's. */
  clock?: Clock;
  /** Default undefined, as for a database that somebody else runs. */
  incarnation?: string;
  /** Default 5,461 records and 40 MiB. */
  limits?: StoreLimits;
  /** Whether records may carry lists. Default true. */
  lists?: boolean;
}

/**
 * A faithful fake for tests of whatever uses the port. Like Chroma it merges metadata on upsert,
 * so a forgotten `staleKeys` shows. It keeps its content over `close` of other instances: there is
 * one database an instance.
 */
export class InMemoryVectorStore implements VectorStore {
  readonly limits: StoreLimits;
  readonly #lists: boolean;
  #incarnation: string | undefined;
  readonly #gate: FaultGate;
  readonly #collections = new Map<string, RawCollection>();

  constructor(options: InMemoryStoreOptions = {}) {
    this.limits = options.limits ?? { batchRecordsMax: 5_461, batchBytesMax: 40 * 1_024 * 1_024 };
    this.#lists = options.lists ?? true;
    this.#gate = new FaultGate(options.faults, options.clock);
    this.#incarnation = options.incarnation;
  }

  /** Replaces the hook; undefined takes it away. */
  setFaults(faults: FaultHook | undefined): void {
    this.#gate.faults = faults;
  }

  /** As if the database had been restarted. */
  setIncarnation(incarnation: string | undefined): void {
    this.#incarnation = incarnation;
  }

  /**
   * The live content of a collection, past faults and limits: read it to see what was really
   * applied, change it to do what another program would, damage included.
   * @throws StoreError `COLLECTION_NOT_FOUND`.
   */
  raw(name: string): RawCollection {
    return this.#find(name);
  }

  incarnation(): string | undefined {
    return this.#incarnation;
  }

  async ping(options?: CallOptions): Promise<void> {
    await this.#run("ping", undefined, options, () => undefined);
  }

  async listCollections(options?: CallOptions): Promise<CollectionInfo[]> {
    return this.#run("listCollections", undefined, options, () =>
      [...this.#collections.values()].map(({ records: _records, ...info }) => info),
    );
  }

  async openCollection(name: string, options?: CallOptions): Promise<VectorCollection> {
    return this.#run("openCollection", name, options, () => this.#handle(this.#find(name)));
  }

  async createCollection(spec: CollectionSpec, options?: CallOptions): Promise<VectorCollection> {
    assertCollectionName(spec.name);
    return this.#run("createCollection", spec.name, options, () => {
      this.#assertFree(spec.name);
      const collection: RawCollection = {
        name: spec.name,
        embedder: spec.embedder && { ...spec.embedder },
        distance: spec.distance ?? "cosine",
        settings: { ...spec.settings },
        records: new Map(),
      };
      this.#collections.set(spec.name, collection);
      return this.#handle(collection);
    });
  }

  async renameCollection(from: string, to: string, options?: CallOptions): Promise<void> {
    assertCollectionName(to);
    await this.#run("renameCollection", from, options, () => {
      const collection = this.#find(from);
      this.#assertFree(to);
      this.#collections.delete(from);
      collection.name = to;
      this.#collections.set(to, collection);
    });
  }

  async deleteCollection(name: string, options?: CallOptions): Promise<void> {
    await this.#run("deleteCollection", name, options, () => {
      this.#find(name);
      this.#collections.delete(name);
    });
  }

  async close(): Promise<void> {
    this.#gate.close();
  }

  #run<T>(
    operation: StoreOperation,
    collection: string | undefined,
    options: CallOptions | undefined,
    apply: () => T,
  ): Promise<T> {
    return this.#gate.run(
      { operation, ...(collection === undefined ? {} : { collection }) },
      options,
      apply,
    );
  }

  #handle(opened: RawCollection): VectorCollection {
    return new InMemoryCollection(opened, {
      gate: this.#gate,
      limits: this.limits,
      lists: this.#lists,
      exists: (collection) => this.#collections.get(collection.name) === collection,
      find: (name) => this.#find(name),
    });
  }

  #find(name: string): RawCollection {
    const collection = this.#collections.get(name);
    if (collection !== undefined) return collection;
    throw new StoreError(`There is no collection ${name}`, { code: "COLLECTION_NOT_FOUND" });
  }

  #assertFree(name: string): void {
    if (!this.#collections.has(name)) return;
    throw new StoreError(`The collection ${name} exists`, { code: "COLLECTION_EXISTS" });
  }
}
