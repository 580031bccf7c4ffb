import type { Metadata, Where } from "@holdfast/store";

/** Whose memory it is. Absent keys are not part of the scope. */
export interface Scope {
  user?: string;
  agent?: string;
  session?: string;
  project?: string;
}

/**
 * Where a memory stands: `queued` is safe on this machine and will reach the store by itself,
 * `stored` is in the store too, `dead` was refused by the store and waits for a decision.
 */
export type Durability = "queued" | "stored" | "dead";

export interface MemoryRecord {
  id: string;
  text: string;
  /** Lists only in another program's record. */
  metadata: Metadata;
  scope: Scope;
  tags: readonly string[];
  /** Wall-clock milliseconds. */
  createdAt: number;
  updatedAt: number;
  /** Wall-clock milliseconds after which the memory is not recalled; undefined keeps it. */
  expiresAt: number | undefined;
  /** Counts this id's accepted writes, from 1. */
  revision: number;
  durability: Durability;
}

export interface AddOptions extends WriteOptions {
  /** Default: a new UUIDv7. Adding an id that exists replaces that memory whole. */
  id?: string;
  /** Strings, finite numbers and booleans; keys must not start with `hf:`. */
  metadata?: Metadata;
  scope?: Scope;
  tags?: readonly string[];
  /** Lifetime in milliseconds from now. Default: no end. */
  ttlMs?: number;
}

export interface WriteOptions {
  /**
   * How long to wait for `stored` after the memory is safe, in milliseconds; 0 returns at once.
   * Default `MemoryOptions.waitMs`.
   */
  waitMs?: number;
  /** Ends the waiting, never the write: what is accepted stays accepted. */
  signal?: AbortSignal;
}

export interface ForgetOptions extends WriteOptions {
  /** Only say which would be forgotten. Default false. */
  dryRun?: boolean;
  /** Forget an id only as long as its memory is at this revision; one that was written since stays. */
  revisions?: ReadonlyMap<string, number>;
}

export interface UpdateOptions extends WriteOptions {
  /**
   * Leave nothing of what it said before on this machine, neither for replay nor in deleted pages.
   * Default false.
   */
  erase?: boolean;
}

export interface NewMemory extends Omit<AddOptions, keyof WriteOptions> {
  text: string;
  /**
   * The type of the event under which policies decide on it, as `command`: what a trigger raised is
   * no `memory.add`. Not stored.
   */
  raisedAs?: string;
}

/** What stays undefined is kept as it is; `metadata` replaces the whole of it. */
export interface MemoryChanges {
  text?: string;
  metadata?: Metadata;
  tags?: readonly string[];
  ttlMs?: number | null;
}

/** The promise: from here on the write survives the death of any process and of the machine. */
export interface Receipt {
  id: string;
  revision: number;
  durability: Durability;
  /** Why it is not `stored`, in one line; undefined when it is. */
  reason: string | undefined;
  /** How many secrets were taken out before anything was written; undefined when nobody looked. */
  redactions?: number;
}

/** Which memories: every named part must match. */
export interface Filter {
  scope?: Scope;
  tags?: readonly string[];
  /** None of these; by itself it names nothing. */
  exceptTags?: readonly string[];
  where?: Where;
}

export interface SearchOptions extends Filter {
  /** Default 10. */
  limit?: number;
  signal?: AbortSignal;
}

export interface Hit extends Omit<MemoryRecord, "durability"> {
  /**
   * 0 to 1, higher is nearer: cosine similarity of vectors of length 1, clipped, when the store
   * answered; for a degraded answer the rank's share of the best (BM25), not comparable with it.
   */
  score: number;
}

/** Every recall says how far it can be trusted. */
export interface RecallSource {
  /** True when the store could not answer and this machine's mirror did. */
  degraded: boolean;
  /** Why it is degraded, in one line. */
  reason: string | undefined;
  /** Milliseconds since the store last confirmed the mirror's state; undefined if it never did. */
  ageMs: number | undefined;
  /** Accepted memories that are not in the store yet: a semantic recall cannot see them. */
  queued: number;
}

export interface SearchResult extends RecallSource {
  hits: readonly Hit[];
}

export interface GetResult extends RecallSource {
  memory: MemoryRecord | undefined;
}

export interface ListOptions extends Filter {
  /** Default 50. */
  limit?: number;
  /** Continue after this page's last id; `MEMORY_NOT_FOUND` when it is gone meanwhile. */
  after?: string;
}

export interface ListResult {
  memories: readonly MemoryRecord[];
  /** All that match, whatever the limit. */
  total: number;
}

export interface ForgetResult {
  /** The ids that were forgotten, or with `dryRun` would be. */
  ids: readonly string[];
  durability: Durability;
  reason: string | undefined;
}
