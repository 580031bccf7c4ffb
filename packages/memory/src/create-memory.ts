import type { CircuitBreaker } from "@holdfast/breaker";
import { type Clock, type Random, systemClock, systemRandom } from "@holdfast/core";
import type { VectorStore } from "@holdfast/store";
import { Applier } from "./applier.ts";
import { Drainer } from "./drainer.ts";
import type { Failpoint } from "./acceptance.ts";
import { Journal } from "./journal.ts";
import type { Embedder, Memory } from "./memory.ts";
import { type MemoryOptions, type ResolvedOptions, resolveOptions } from "./memory-options.ts";
import { MemoryService } from "./memory-service.ts";
import { Recall } from "./recall.ts";
import { Reconciler } from "./reconciler.ts";
import { StoreAccess } from "./store-access.ts";

export interface MemoryDeps {
  store: VectorStore;
  embedder: Embedder;
  breaker: CircuitBreaker;
  clock?: Clock;
  random?: Random;
  /** For tests: called at the named points of the write path. */
  failpoint?: Failpoint;
}

const EMBED_BATCH_MAX = 64;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };

/**
 * Opens the memory of a store. Cheap: it opens one SQLite file and connects to nothing.
 * @throws TypeError for an option that there is not, or not with that value; MemoryError
 * `OUTBOX_UNWRITABLE` or `OUTBOX_CORRUPT`.
 */
export function createMemory(options: MemoryOptions, deps: MemoryDeps): Memory {
  const resolved = resolveOptions(options);
  const parts = partsOf(resolved, deps);
  const recall = new Recall({ ...parts, embedder: deps.embedder });
  return new MemoryService(resolved, { ...parts, recall, breaker: deps.breaker });
}

/** What works on one state directory and one collection, as another process would. */
export interface MemoryParts {
  journal: Journal;
  access: StoreAccess;
  applier: Applier;
  drainer: Drainer;
  clock: Clock;
}

/** @throws as {@link createMemory}. */
export function openParts(options: MemoryOptions, deps: MemoryDeps): MemoryParts {
  return partsOf(resolveOptions(options), deps);
}

function partsOf(options: ResolvedOptions, deps: MemoryDeps): MemoryParts {
  const clock = deps.clock ?? systemClock;
  const { stateDirectory, collection, outbox, limits, leaseMs, batchRecordsMax } = options;
  const journal = Journal.open(stateDirectory, collection, outbox, deps.failpoint);
  const access = new StoreAccess(
    { collection, limits },
    { store: deps.store, embedder: deps.embedder, breaker: deps.breaker, journal },
  );
  const applier = new Applier({ journal, access, embedder: deps.embedder });
  const reconciler = new Reconciler({ journal, access, applier });
  const drainer = new Drainer(
    { leaseMs, batchRecordsMax, embedBatchMax: EMBED_BATCH_MAX, backoff: BACKOFF },
    {
      journal,
      access,
      breaker: deps.breaker,
      applier,
      reconciler,
      clock,
      random: deps.random ?? systemRandom,
      failpoint: deps.failpoint,
    },
  );
  return { journal, access, applier, drainer, clock };
}
