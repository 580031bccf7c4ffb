/**
 * The port between Holdfast and a vector database. An adapter implements {@link VectorStore} and
 * passes the contract suite of `@holdfast/store/testing`; nothing above it knows which database
 * answers.
 */

/** A single value. Numbers are finite and come back as the same double; −0 comes back as 0. */
export type Scalar = string | number | boolean;

/**
 * What a metadata value can be: also a list of one type, not empty. A database that has no lists
 * refuses a record that carries one with `STORE_REJECTED`. Other nested values and null are not
 * storable.
 */
export type MetadataValue = Scalar | readonly Scalar[];

/** Keys are non-empty and do not start with `$`, `#` or `chroma:`, which databases use themselves. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

/**
 * All keys must be present and equal, in value and type. An empty filter matches everything.
 * A filter on a key that no record could carry is refused with `STORE_REJECTED`.
 */
export type Where = Readonly<Record<string, Scalar>>;

export type Distance = "cosine" | "l2" | "ip";

/** Which model made a collection's vectors: vectors of two models cannot be compared. */
export interface EmbedderIdentity {
  provider: string;
  model: string;
  dimension: number;
}

export interface VectorRecord {
  /** Any non-empty well-formed string; unique in its collection. */
  id: string;
  /**
   * Any well-formed string, the empty one included. Null for a record of another program without
   * text; whether a text that the stored record has stays then is the database's.
   */
  document: string | null;
  metadata: Metadata;
  /** Finite, and of the collection's dimension. It comes back within 1e-6 of its length. */
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
  /**
   * In the collection's own measure, smaller is nearer: 1 − cosine, the squared Euclidean
   * distance (`l2`), or 1 − inner product (`ip`).
   */
  distance: number;
}

export interface CallOptions {
  /**
   * Aborting ends the call at once with `STORE_ABORTED`, the signal's reason as its cause, and
   * closes the connection it used. A signal that is already aborted lets nothing be sent.
   */
  signal?: AbortSignal;
  /**
   * Time limit of the whole call in milliseconds; past it the call fails with `STORE_TIMEOUT` and
   * its connection is closed. Default: the adapter's own.
   */
  timeoutMs?: number;
}

/** What a collection was made with: enough to make another one like it. Plain JSON. */
export interface CollectionForm {
  /** Undefined for a collection that another program created. */
  embedder: EmbedderIdentity | undefined;
  distance: Distance;
  /** The rest in the database's own terms, to be given back and not to be read. */
  settings: CollectionSettings;
}

export type CollectionSettings = Readonly<Record<string, unknown>>;

export interface CollectionSpec {
  /** 3 to 512 of `a–z A–Z 0–9 . _ -`, first and last a letter or digit. */
  name: string;
  embedder: EmbedderIdentity | undefined;
  /** Default cosine. */
  distance?: Distance;
  /** Of another collection. Default the database's own. */
  settings?: CollectionSettings;
}

export interface CollectionInfo extends CollectionForm {
  /** As it was when the collection was opened, created or listed. */
  name: string;
}

export interface QueryOptions extends CallOptions {
  /** How many matches at most, nearest first; a whole number, 0 matches nothing. */
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
  /** Records that one upsert, or ids that one delete, may carry; more are refused, none applied. */
  batchRecordsMax: number;
  /**
   * Bytes of one request, which a single record must stay under. An upsert that is larger is sent
   * in several requests, in order; its time limit covers them all.
   */
  batchBytesMax: number;
}

/**
 * Every method rejects with a `StoreError`, and with nothing else. What a caller can get wrong
 * (names, ids, keys, vectors, counts) is refused with `STORE_REJECTED` before anything is sent.
 */
export interface VectorStore {
  readonly limits: StoreLimits;
  /** A real round trip to the tenant and database; resolves only when they answer. */
  ping(options?: CallOptions): Promise<void>;
  /** All of the database's collections, in any order. */
  listCollections(options?: CallOptions): Promise<CollectionInfo[]>;
  /** @throws StoreError `COLLECTION_NOT_FOUND`. */
  openCollection(name: string, options?: CallOptions): Promise<VectorCollection>;
  /** Not idempotent. @throws StoreError `COLLECTION_EXISTS`. */
  createCollection(spec: CollectionSpec, options?: CallOptions): Promise<VectorCollection>;
  /** Keeps its content. @throws StoreError `COLLECTION_NOT_FOUND` or `COLLECTION_EXISTS`. */
  renameCollection(from: string, to: string, options?: CallOptions): Promise<void>;
  /** @throws StoreError `COLLECTION_NOT_FOUND`. */
  deleteCollection(name: string, options?: CallOptions): Promise<void>;
  /**
   * Names this run of the database, when that can be known: it changes with every restart, and
   * what an unfinished write left behind may surface then. It is what the last connection found;
   * `ping` looks again. Undefined for a database run elsewhere, and before the first call.
   */
  incarnation(): string | undefined;
  /**
   * Ends the calls under way with `STORE_ABORTED`; later calls, also through handles, are refused
   * with it. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * A handle; holds no connection of its own, and stays valid when the database restarts. It follows
 * the collection that it opened through renames, whoever renames it. When that collection is gone
 * it turns to the one that now has the name it was opened by: `COLLECTION_NOT_FOUND` if there is
 * none, `EMBEDDER_MISMATCH` if that one's vectors are another model's.
 */
export interface VectorCollection {
  readonly info: CollectionInfo;
  /**
   * Inserts or replaces, whole records (see {@link VectorRecord.staleKeys}): idempotent by id.
   * Later duplicates in one call win. Not atomic. An empty list does nothing.
   * When it fails with an unknown outcome (`StoreError.outcomeUnknown`) any part of it may have
   * been applied, or still be; otherwise none has.
   */
  upsert(records: readonly VectorRecord[], options?: CallOptions): Promise<void>;
  /** The records that exist, in any order; unknown ids are absent. Duplicates are asked once. */
  get(
    ids: readonly string[],
    options?: CallOptions & { embeddings?: boolean },
  ): Promise<StoredRecord[]>;
  /** The nearest records, nearest first; approximate where the database's index is. */
  query(embedding: Float32Array, options: QueryOptions): Promise<Match[]>;
  /** Deletes what exists; unknown ids are ignored. Idempotent. */
  delete(ids: readonly string[], options?: CallOptions): Promise<void>;
  count(options?: CallOptions): Promise<number>;
  /** Every record once, in non-empty pages, if nobody writes meanwhile. */
  scan(options?: ScanOptions): AsyncIterable<StoredRecord[]>;
}
