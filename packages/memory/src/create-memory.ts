import type { CircuitBreaker } from "@holdfast/breaker";
import { type Clock, type Random, systemClock, systemRandom } from "@holdfast/core";
import type { VectorStore } from "@holdfast/store";
import { Applier } from "./applier.ts";
import { Drainer } from "./drainer.ts";
import type { Failpoint, OutboxBounds } from "./acceptance.ts";
import { Journal } from "./journal.ts";
import type { Embedder, Memory } from "./memory.ts";
import { MemoryService } from "./memory-service.ts";
import { Recall } from "./recall.ts";
import { Reconciler } from "./reconciler.ts";
import { StoreAccess, type TimeLimits } from "./store-access.ts";

export interface MemoryOptions {
  /** Where `memory.db`, the outbox and the mirror, lives; created 0700. Never inside the store's own directory. */
  stateDirectory: string;
  /** Default `memories`. */
  collection?: string;
  outbox?: Partial<OutboxBounds>;
  limits?: Partial<TimeLimits>;
  /** How long a write waits for `stored` by default, in milliseconds. Default 10 s. */
  waitMs?: number;
  /** How long a drainer that falls silent keeps other processes out, in milliseconds. Default 10 s. */
  leaseMs?: number;
  /** Records a request to the store at most. Default 1000. */
  batchRecordsMax?: number;
  /** Apply queued writes in the background of this process. Default true. */
  background?: boolean;
}

export interface MemoryDeps {
  store: VectorStore;
  embedder: Embedder;
  breaker: CircuitBreaker;
  clock?: Clock;
  random?: Random;
  /** For tests: called at the named points of the write path. */
  failpoint?: Failpoint;
}

/** The defaults of {@link MemoryOptions}, in its units. */
export const MEMORY_DEFAULTS: {
  collection: string;
  outbox: OutboxBounds;
  limits: TimeLimits;
  waitMs: number;
  leaseMs: number;
  batchRecordsMax: number;
} = {
  collection: "memories",
  outbox: {
    recordsMax: 100_000,
    bytesMax: 256 * 1024 * 1024,
    keptRecordsMax: 100_000,
    keptBytesMax: 64 * 1024 * 1024,
  },
  limits: { readMs: 10_000, writeMs: 30_000 },
  waitMs: 10_000,
  leaseMs: 10_000,
  batchRecordsMax: 1_000,
};

const EMBED_BATCH_MAX = 64;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };

/**
 * Opens the memory of a store. Cheap: it opens one SQLite file and connects to nothing.
 * @throws MemoryError `OUTBOX_UNWRITABLE` or `OUTBOX_CORRUPT`.
 */
export function createMemory(options: MemoryOptions, deps: MemoryDeps): Memory {
  const parts = openParts(options, deps);
  const recall = new Recall({ ...parts, embedder: deps.embedder });
  return new MemoryService(
    {
      collection: parts.access.collection,
      waitMs: options.waitMs ?? MEMORY_DEFAULTS.waitMs,
      background: options.background ?? true,
    },
    { ...parts, recall, breaker: deps.breaker },
  );
}

/** What works on one state directory and one collection, as another process would. */
export interface MemoryParts {
  journal: Journal;
  access: StoreAccess;
  applier: Applier;
  drainer: Drainer;
  clock: Clock;
}

/** @throws MemoryError `OUTBOX_UNWRITABLE` or `OUTBOX_CORRUPT`. */
export function openParts(options: MemoryOptions, deps: MemoryDeps): MemoryParts {
  const clock = deps.clock ?? systemClock;
  const collection = options.collection ?? MEMORY_DEFAULTS.collection;
  const journal = Journal.open(
    options.stateDirectory,
    collection,
    { ...MEMORY_DEFAULTS.outbox, ...options.outbox },
    deps.failpoint,
  );
  const access = new StoreAccess(
    { collection, limits: { ...MEMORY_DEFAULTS.limits, ...options.limits } },
    { store: deps.store, embedder: deps.embedder, breaker: deps.breaker, journal },
  );
  const applier = new Applier({ journal, access, embedder: deps.embedder });
  const reconciler = new Reconciler({ journal, access, applier });
  const drainer = new Drainer(
    {
      leaseMs: options.leaseMs ?? MEMORY_DEFAULTS.leaseMs,
      batchRecordsMax: options.batchRecordsMax ?? MEMORY_DEFAULTS.batchRecordsMax,
      embedBatchMax: EMBED_BATCH_MAX,
      backoff: BACKOFF,
    },
    {
      journal,
      access,
      applier,
      reconciler,
      clock,
      random: deps.random ?? systemRandom,
      failpoint: deps.failpoint,
    },
  );
  return { journal, access, applier, drainer, clock };
}
