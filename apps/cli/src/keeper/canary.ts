import { randomUUID } from "node:crypto";
import { HoldfastError } from "@holdfast/core";
import {
  type CallOptions,
  StoreError,
  type VectorCollection,
  type VectorStore,
} from "@holdfast/store";

/** The canary's own collection: nothing of a user is ever in it. */
export const CANARY_COLLECTION = "hf-canary";

const EMBEDDER = { provider: "holdfast", model: "canary", dimension: 4 };

/**
 * Proves that the store works: writes a record, finds it by its vector, deletes it, and sees it
 * gone. Bypasses the breaker, since it is what tells the breaker.
 * @param timeoutMs of each of its calls.
 * @param signal ends it between and within its calls.
 * @throws StoreError from the store; HoldfastError `CANARY_FAILED` when an answer is wrong.
 */
export async function sendCanary(
  store: VectorStore,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const limits = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
  const collection = await openOwn(store, limits);
  const id = randomUUID();
  const embedding = new Float32Array([1, 0, 0, 0]).map(() => Math.random() + 0.1);
  const document = `canary ${id}`;
  await collection.upsert([{ id, document, metadata: {}, embedding }], limits);
  const found = await collection.query(embedding, { limit: 10, ...limits });
  const match = found.find((candidate) => candidate.id === id);
  await collection.delete([id], limits);
  if (match === undefined) throw wrong("what was written is not found");
  if (match.document !== document) throw wrong("what was written comes back changed");
  const left = await collection.get([id], limits);
  if (left.length > 0) throw wrong("what was deleted is still there");
}

async function openOwn(store: VectorStore, limits: CallOptions): Promise<VectorCollection> {
  try {
    return await store.openCollection(CANARY_COLLECTION, limits);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "COLLECTION_NOT_FOUND") throw error;
    return store.createCollection({ name: CANARY_COLLECTION, embedder: EMBEDDER }, limits);
  }
}

function wrong(what: string): HoldfastError {
  return new HoldfastError(`The store answers, but ${what}`, {
    code: "CANARY_FAILED",
    hint: "See its log with: holdfast server logs",
  });
}
