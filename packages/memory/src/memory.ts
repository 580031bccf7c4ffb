import type { BreakerExplanation } from "@holdfast/breaker";
import type { EmbedderIdentity } from "@holdfast/store";
import type { LoggedBackup } from "./backup/backup-log.ts";
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

/** Turns texts into vectors; one vector a text, in order, each of `identity().dimension`. */
export interface Embedder {
  /** Cheap where it can be: the default provider answers without loading its model. */
  identity(): Promise<EmbedderIdentity>;
  embed(texts: readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
}

/** accepted = stored + queued + dead + discarded, always; anything else is an alarm. */
export interface Ledger {
  accepted: number;
  stored: number;
  queued: number;
  dead: number;
  discarded: number;
  /** Writes refused before acceptance; they are no part of the sum. */
  refused: number;
  /** accepted − (stored + queued + dead + discarded): 0, or something is wrong. */
  residual: number;
}

export interface DeadLetter {
  seq: number;
  id: string;
  revision: number;
  operation: "put" | "forget";
  reason: string;
  /** Wall-clock milliseconds. */
  acceptedAt: number;
}

export interface OutboxStatus {
  records: number;
  bytes: number;
  /** Milliseconds the oldest queued write has waited; undefined when none waits. */
  oldestAgeMs: number | undefined;
  /** Why the last attempt to apply failed; undefined after a success. */
  lastError: string | undefined;
  /** Wall-clock milliseconds before which no new attempt is made; undefined when one may be. */
  nextAttemptAt: number | undefined;
  /** Ids whose last write ended without an answer and are still to be read back once more. */
  unsettled: number;
}

/** What happened when the outbox was found damaged. */
export interface SalvageStatus {
  /** Wall-clock milliseconds. */
  at: number;
  /** Where the damaged file was put. */
  file: string;
  /** Ids that were there, and whose memories neither the file nor, so far, the store gave back. */
  lost: readonly string[];
}

export interface MemoryStatus {
  ledger: Ledger;
  outbox: OutboxStatus;
  /** Memories that the mirror holds, expired ones included. */
  mirrored: number;
  /** What other programs wrote, as the last sync saw it. */
  others: OthersStatus;
  /** Wall-clock milliseconds of the store's last answer to this workspace. */
  storeLastAnsweredAt: number | undefined;
  breaker: BreakerExplanation;
  collection: string;
  /** Undefined as long as the outbox was never damaged. */
  salvaged: SalvageStatus | undefined;
  backups: BackupStatus;
}

/** What this memory knows of its backups; their files may be gone meanwhile. */
export interface BackupStatus {
  last: LoggedBackup | undefined;
  /** The last drill that succeeded; `at` in wall-clock milliseconds. */
  lastDrill: { path: string; at: number; tookMs: number } | undefined;
  /** When a restore replaced the state that an undo would bring back; undefined without one. */
  undoable: number | undefined;
}

export interface OthersStatus {
  /** Records in the mirror that the store was last seen to hold. */
  held: number;
  /** Records in the mirror that the store has lost. */
  vanished: number;
  /** Wall-clock milliseconds of the last complete sync; undefined before the first. */
  syncedAt: number | undefined;
}

export interface DrainReport {
  /** Writes that this call brought into the store. */
  stored: number;
  /** Writes that are still queued. */
  queued: number;
  /** Writes that this call moved to the dead letters. */
  dead: number;
  /** Why it stopped early, in one line; undefined when the outbox is empty. */
  stoppedBy: string | undefined;
}

export interface Comparison {
  /** Memories compared: text, metadata, revision and vector. */
  compared: number;
  /** In the mirror, missing in the store. */
  missing: readonly string[];
  /** In both, different. */
  different: readonly string[];
  /** In the store only: written by another program; never counted as missing. */
  foreign: number;
  equal: boolean;
}

export interface RebuildReport extends Comparison {
  /** Memories written into the fresh collection. */
  rebuilt: number;
  /** Records of other writers that were carried over from the old collection. */
  salvaged: number;
  /** Records of other writers that were brought back from the last sync, since the store lost them. */
  returned: number;
  /** Ids of such records that this store does not take; the mirror keeps them. */
  refused: readonly string[];
  /** The old collection's new name, while it is kept; undefined when there was none to keep. */
  keptAs: string | undefined;
}

export interface RebuildOptions {
  /** Called after each batch with the memories written so far and the total. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Reliable memory. A write is acknowledged once it is safe on this machine's disk; the store is
 * an index that is brought up to it, and can be rebuilt from it.
 */
export interface Memory {
  /** @throws MemoryError `MEMORY_INVALID`, `OUTBOX_FULL`, `OUTBOX_UNWRITABLE`, `EMBEDDER_MISMATCH`. */
  add(text: string, options?: AddOptions): Promise<Receipt>;
  /** All or none are accepted, in one transaction. */
  addMany(items: readonly NewMemory[], options?: WriteOptions): Promise<Receipt[]>;
  /** @throws MemoryError `MEMORY_NOT_FOUND` as well as what `add` throws. */
  update(id: string, changes: MemoryChanges, options?: UpdateOptions): Promise<Receipt>;
  search(query: string, options?: SearchOptions): Promise<SearchResult>;
  get(id: string, options?: { signal?: AbortSignal }): Promise<GetResult>;
  /** This workspace's memories, newest first, from the mirror: it works without the store. */
  list(options?: ListOptions): ListResult;
  /**
   * Forgets by ids or by filter. Text and vector leave outbox, mirror and full-text index before
   * this resolves; the store follows. Unknown ids are ignored.
   * @throws MemoryError `FORGET_UNSCOPED` for a filter that names nothing.
   */
  forget(selector: readonly string[] | Filter, options?: ForgetOptions): Promise<ForgetResult>;
  /**
   * Runs any call to the store under the breaker and the time limit.
   * @throws MemoryServiceUnavailableError when the breaker refuses.
   */
  guard<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Brings what is queued into the store, by this process or by waiting for the one that does. */
  drain(options?: { signal?: AbortSignal }): Promise<DrainReport>;
  status(): MemoryStatus;
  deadLetters(): readonly DeadLetter[];
  /** Queues dead letters again. Without `seqs`, all. Returns how many. */
  retryDead(seqs?: readonly number[]): number;
  /** Gives dead letters up. Returns how many. */
  discardDead(seqs: readonly number[]): number;
  /** Those of `ids` that no write and no sync brought here: a rebuild could not bring them back. */
  unmirrored(ids: Iterable<string>): string[];
  /** Reads every record back from the store and compares it with the mirror. */
  compare(options?: { signal?: AbortSignal }): Promise<Comparison>;
  /**
   * Makes the collection anew from the mirror, compares it, and puts it in the old one's place.
   * Records of other writers are carried over; when they cannot be read, it refuses and lists them.
   * @throws MemoryError `REBUILD_REFUSED`.
   */
  rebuild(options?: RebuildOptions): Promise<RebuildReport>;
  /** Stops this process's work and releases its files. Queued writes stay queued. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
