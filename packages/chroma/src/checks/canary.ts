import { randomUUID } from "node:crypto";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import {
  type CallOptions,
  type Match,
  StoreError,
  type VectorCollection,
  type VectorStore,
} from "@holdfast/store";

/** The canary's own collection: nothing of a user is ever in it. */
export const CANARY_COLLECTION = "hf-canary";

const EMBEDDER = { provider: "holdfast", model: "canary", dimension: 4 };

/** No canary takes so long: one that is older was left by somebody who was cut off. */
const LEFT_MS = 10 * 60_000;
/** Of those, so many are cleared away each time. */
const FOUND_MAX = 100;

/**
 * Proves that the store works: writes a record, finds it by its vector, deletes it, and sees it
 * gone. Call it past the breaker, since it is what tells the breaker. One that fails may leave its
 * record, which a later one removes.
 * @param call the limits of each of its calls.
 * @throws StoreError from the store; HoldfastError `CANARY_FAILED` when an answer is wrong.
 */
export async function sendCanary(
  store: VectorStore,
  call: CallOptions,
  clock: Clock = systemClock,
): Promise<void> {
  const collection = await openOwn(store, call);
  const id = randomUUID();
  const embedding = new Float32Array([1, 0, 0, 0]).map(() => Math.random() + 0.1);
  const document = `canary ${id}`;
  const metadata = { at: clock.now() };
  await collection.upsert([{ id, document, metadata, embedding }], call);
  const found = await collection.query(embedding, { limit: FOUND_MAX, ...call });
  const match = found.find((candidate) => candidate.id === id);
  const left = found.filter((candidate) => isLeft(candidate, clock.now()));
  await collection.delete([id, ...left.map((each) => each.id)], call);
  if (match === undefined) throw wrong("what was written is not found");
  if (match.document !== document) throw wrong("what was written comes back changed");
  const still = await collection.get([id], call);
  if (still.length > 0) throw wrong("what was deleted is still there");
}

/** The clock may have been set since, in either direction. */
function isLeft({ metadata: { at } }: Match, now: number): boolean {
  return typeof at !== "number" || Math.abs(now - at) > LEFT_MS;
}

async function openOwn(store: VectorStore, call: CallOptions): Promise<VectorCollection> {
  try {
    return await store.openCollection(CANARY_COLLECTION, call);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "COLLECTION_NOT_FOUND") throw error;
    return store.createCollection({ name: CANARY_COLLECTION, embedder: EMBEDDER }, call);
  }
}

function wrong(what: string): HoldfastError {
  return new HoldfastError(`The store answers, but ${what}`, {
    code: "CANARY_FAILED",
    hint: "Repair it with: holdfast memory recover",
  });
}
