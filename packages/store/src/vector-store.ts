/**
 * The port between Holdfast and a vector database. An adapter implements {@link VectorStore} and
 * passes the contract suite of `@holdfast/store/testing`; nothing above it knows which database
 * answers.
 */

/** What a metadata value can be. Numbers are finite; nested values and null are not storable. */
export type MetadataValue = string | number | boolean;

export type Metadata = Readonly<Record<string, MetadataValue>>;

/** All keys must be present and equal. An empty filter matches everything. */
export type Where = Readonly<Record<string, MetadataValue>>;

export type Distance = "cosine" | "l2" | "ip";

/** Which model made a collection's vectors: vectors of two models cannot be compared. */
export interface EmbedderIdentity {
  provider: string;
  model: string;
  dimension: number;
}

export interface VectorRecord {
  /** Any non-empty string; unique in its collection. */
  id: string;
  document: string;
  metadata: Metadata;
  embedding: Float32Array;
  /**
   * Metadata keys that the stored record may still carry and this revision must not: some
   * databases merge on upsert, and only the caller knows what it has sent before.
   */
  staleKeys?: readonly string[];
}

export interface StoredRecord {
  id: string;
  /** Null for records that another program stored without text. */
  document: string | null;
  metadata: Metadata;
  /** Present only when asked for. */
  embedding?: Float32Array;
}

export interface Match extends StoredRecord {
  /** In the collection's own measure; smaller is nearer. */
  distance: number;
}

export interface CallOptions {
  /** Aborting ends the call with the signal's reason and closes its connection. */
  signal?: AbortSignal;
  /** Time limit in milliseconds; past it the call fails with `STORE_TIMEOUT`. */
  timeoutMs?: number;
}

export interface CollectionSpec {
  name: string;
  embedder: EmbedderIdentity;
  /** Default cosine. */
  distance?: Distance;
}

export interface CollectionInfo {
  name: string;
  /** Undefined for a collection that another program created. */
  embedder: EmbedderIdentity | undefined;
}

export interface QueryOptions extends CallOptions {
  /** How many matches at most, nearest first. */
  limit: number;
  where?: Where;
}

export interface ScanOptions extends CallOptions {
  /** Records a page; default 500. The time limit is a page's. */
  pageSize?: number;
  where?: Where;
  /** Default false. */
  embeddings?: boolean;
}

export interface StoreLimits {
  /** Records that one upsert or delete may carry. */
  batchRecordsMax: number;
  /** Bytes that one request may carry. */
  batchBytesMax: number;
}

/** Every method rejects with a `StoreError`, and with nothing else. */
export interface VectorStore {
  readonly limits: StoreLimits;
  /** A real round trip to the tenant and database; resolves only when they answer. */
  ping(options?: CallOptions): Promise<void>;
  listCollections(options?: CallOptions): Promise<CollectionInfo[]>;
  /** @throws StoreError `COLLECTION_NOT_FOUND`. */
  openCollection(name: string, options?: CallOptions): Promise<VectorCollection>;
  /** Not idempotent. @throws StoreError `COLLECTION_EXISTS`. */
  createCollection(spec: CollectionSpec, options?: CallOptions): Promise<VectorCollection>;
  /** @throws StoreError `COLLECTION_NOT_FOUND` or `COLLECTION_EXISTS`. */
  renameCollection(from: string, to: string, options?: CallOptions): Promise<void>;
  /** @throws StoreError `COLLECTION_NOT_FOUND`. */
  deleteCollection(name: string, options?: CallOptions): Promise<void>;
  /**
   * Names this run of the database, when that can be known: it changes with every restart, and
   * what an unfinished write left behind may surface then. Undefined for a database run elsewhere.
   */
  incarnation(): string | undefined;
  close(): Promise<void>;
}

/** A handle; holds no connection of its own. It stays valid when the database restarts. */
export interface VectorCollection {
  readonly info: CollectionInfo;
  /**
   * Inserts or replaces, whole records: idempotent by id. Later duplicates in one call win.
   * When it fails with an unknown outcome (`StoreError.outcomeUnknown`) it may still be applied.
   */
  upsert(records: readonly VectorRecord[], options?: CallOptions): Promise<void>;
  /** The records that exist, in any order; unknown ids are absent. Duplicates are asked once. */
  get(
    ids: readonly string[],
    options?: CallOptions & { embeddings?: boolean },
  ): Promise<StoredRecord[]>;
  query(embedding: Float32Array, options: QueryOptions): Promise<Match[]>;
  /** Deletes what exists; unknown ids are ignored. */
  delete(ids: readonly string[], options?: CallOptions): Promise<void>;
  count(options?: CallOptions): Promise<number>;
  /** Every record once, in pages, if nobody writes meanwhile. */
  scan(options?: ScanOptions): AsyncIterable<StoredRecord[]>;
}
