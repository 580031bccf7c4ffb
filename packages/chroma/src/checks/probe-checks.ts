import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import {
  type CallOptions,
  type Metadata,
  StoreError,
  type VectorCollection,
  type VectorStore,
  type Where,
} from "@holdfast/store";
import { sendCanary } from "./canary.ts";

export interface ProbeOptions {
  /** The collection that memories are in. */
  collection: string;
  /** How many records the store must hold at least; asked at each look. Default: any number. */
  recordsMin?: () => number;
  /** Whether the collection must be there, whatever it holds. Default: it need not. */
  isMissed?: () => boolean;
  /** Time limit of each check in milliseconds. Default 5000. */
  timeoutMs?: number;
}

const SAMPLE = 3;
const TIMEOUT_MS = 5_000;

/**
 * Checks that really use the store. Chroma's heartbeat stays 200 over a broken index, and so do
 * counts and reads without vectors: these ask for what breaks.
 */
export function probeChecks(store: VectorStore, options: ProbeOptions): HealthCheck[] {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const check = (
    name: string,
    severity: NonNullable<HealthCheck["severity"]>,
    look: (call: CallOptions) => Promise<CheckOutcome>,
  ): HealthCheck => ({
    name,
    service: "chroma",
    severity,
    timeoutMs,
    // Its own call limit is a little shorter, so that the store's error, not ours, is told.
    run: ({ signal }) => look({ signal, timeoutMs: Math.ceil(timeoutMs * 0.9) }),
  });
  return [
    check("place", "offline", async (call) => {
      await store.ping(call);
      return { status: "pass", message: "tenant and database answer" };
    }),
    check("collection", "unhealthy", (call) => countCheck(store, options, call)),
    check("embeddings", "unhealthy", (call) =>
      withCollection(store, options, call, (collection) => readSample(collection, call)),
    ),
    check("filtered-query", "unhealthy", (call) =>
      withCollection(store, options, call, (collection) => queryFiltered(collection, call)),
    ),
    check("canary", "unhealthy", async (call) => {
      await sendCanary(store, call);
      return { status: "pass", message: "a canary was written, found and deleted" };
    }),
  ];
}

async function countCheck(
  store: VectorStore,
  { collection: name, recordsMin, isMissed }: ProbeOptions,
  call: CallOptions,
): Promise<CheckOutcome> {
  const wanted = recordsMin?.() ?? 0;
  const collection = await openIfThere(store, name, call);
  const count = collection === undefined ? 0 : await collection.count(call);
  const evidence = { count, wanted };
  const isLost = collection === undefined && isMissed?.() === true;
  if (count >= wanted && !isLost)
    return { status: "pass", message: `it holds ${count} records`, evidence };
  return {
    status: "fail",
    message:
      collection === undefined
        ? `the collection ${name} is gone, with ${isLost ? "what other programs wrote" : `${wanted} records`}`
        : `${name} holds ${count} records, and ${wanted} were stored`,
    evidence,
    hint: "See what would be done with: holdfast memory recover --dry-run",
  };
}

/** Without the collection there is nothing to read: the check `collection` says whether that is wrong. */
async function withCollection(
  store: VectorStore,
  { collection: name }: ProbeOptions,
  call: CallOptions,
  look: (collection: VectorCollection) => Promise<CheckOutcome>,
): Promise<CheckOutcome> {
  const collection = await openIfThere(store, name, call);
  if (collection === undefined) return { status: "pass", message: "there is nothing to read yet" };
  return look(collection);
}

async function readSample(collection: VectorCollection, call: CallOptions): Promise<CheckOutcome> {
  const sample = await firstOf(collection, call);
  const dimension = collection.info.embedder?.dimension;
  const bad = sample.filter(({ embedding }) => !isVector(embedding, dimension));
  if (bad.length === 0 && sample.length > 0)
    return { status: "pass", message: `${sample.length} records were read with their vectors` };
  if (bad.length === 0) return nothingRead(await collection.count(call));
  return {
    status: "fail",
    message: `records come without a usable vector: ${bad.map(({ id }) => id).join(", ")}`,
    evidence: { ids: bad.map(({ id }) => id) },
    hint: "See what would be done with: holdfast memory recover --dry-run",
  };
}

/** A store may count what it can no longer give. */
function nothingRead(count: number): CheckOutcome {
  if (count === 0) return { status: "pass", message: "there is nothing to read yet" };
  return {
    status: "fail",
    message: `it gives none of the records that it counts: ${count}`,
    evidence: { count },
    hint: "See what would be done with: holdfast memory recover --dry-run",
  };
}

async function queryFiltered(
  collection: VectorCollection,
  call: CallOptions,
): Promise<CheckOutcome> {
  const [record] = await firstOf(collection, call);
  if (record?.embedding === undefined || !isVector(record.embedding, undefined)) {
    return record === undefined
      ? { status: "pass", message: "there is nothing to find yet" }
      : { status: "fail", message: `${record.id} has no usable vector to look for` };
  }
  const where = plainKey(record.metadata);
  const found = await collection.query(record.embedding, {
    limit: 1,
    ...(where === undefined ? {} : { where }),
    ...call,
  });
  if (found.length > 0) return { status: "pass", message: "a filtered query finds what is there" };
  // The search is approximate: what a filter leaves of near neighbours may be passed over.
  const near =
    where === undefined ? [] : await collection.query(record.embedding, { limit: 1, ...call });
  if (near.length > 0) return { status: "pass", message: "a filtered query is answered" };
  return {
    status: "fail",
    message: `a query for ${record.id}'s own vector finds nothing`,
    hint: "See what would be done with: holdfast memory recover --dry-run",
  };
}

async function firstOf(
  collection: VectorCollection,
  call: CallOptions,
): Promise<{ id: string; metadata: Metadata; embedding?: Float32Array }[]> {
  for await (const page of collection.scan({ embeddings: true, pageSize: SAMPLE, ...call })) {
    return page;
  }
  return [];
}

function plainKey(metadata: Metadata): Where | undefined {
  for (const [key, value] of Object.entries(metadata)) {
    const isPlain = !/^(\$|#|chroma:)/.test(key) && key !== "";
    if (isPlain && typeof value === "string") return { [key]: value };
  }
  return undefined;
}

function isVector(vector: Float32Array | undefined, dimension: number | undefined): boolean {
  if (vector === undefined || (dimension !== undefined && vector.length !== dimension))
    return false;
  return vector.every((value) => Number.isFinite(value)) && vector.some((value) => value !== 0);
}

async function openIfThere(
  store: VectorStore,
  name: string,
  call: CallOptions,
): Promise<VectorCollection | undefined> {
  try {
    return await store.openCollection(name, call);
  } catch (error) {
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") return undefined;
    throw error;
  }
}
