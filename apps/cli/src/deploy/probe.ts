import { sendCanary } from "@holdfast/chroma";
import type { LoadedConfig } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { Embedder } from "@holdfast/embedder";
import { sameEmbedder, StoreError, type VectorCollection, type VectorStore } from "@holdfast/store";
import type { Context } from "../context.ts";
import { ensureKeeper, type KeeperUse } from "../keeper/ensure-keeper.ts";
import { keeperTeller } from "../keeper-teller.ts";
import { withMemoryOf } from "../wire.ts";
import { workspaceOf } from "../workspace.ts";

const CALL_LIMIT_MS = 10_000;

/**
 * Whether memory works under a configuration: the outbox opens, the store answers and keeps what
 * it is given, the embedder embeds, and the collection takes its vectors. Starts the managed server
 * when there is none. @throws whatever does not work.
 */
export async function probe(loaded: LoadedConfig, context: Context): Promise<void> {
  const keeper = await keeperFor(loaded, context);
  try {
    await exercise(loaded, context);
  } finally {
    keeper?.release();
  }
}

/** Waited for on its own: a server may have to be fetched, which no time limit of a call allows. */
async function keeperFor(loaded: LoadedConfig, context: Context): Promise<KeeperUse | undefined> {
  const { dataDirectory } = workspaceOf(loaded);
  if (dataDirectory === undefined) return undefined;
  const { output, signal } = context;
  const { file, again } = loaded;
  const onProgress = keeperTeller(output);
  return ensureKeeper({ configFile: file, again, dataDirectory, signal, onProgress });
}

async function exercise(loaded: LoadedConfig, context: Context): Promise<void> {
  await withMemoryOf(loaded, context, async (memory, { store, embedder }) => {
    const { collection } = memory.status();
    await store.ping({ signal: context.signal, timeoutMs: CALL_LIMIT_MS });
    await sendCanary(store, { timeoutMs: CALL_LIMIT_MS });
    context.signal.throwIfAborted();
    await queryOnce(store, embedder, collection);
  });
}

/** Through the store itself: an open breaker tells of the past. */
async function queryOnce(store: VectorStore, embedder: Embedder, name: string): Promise<void> {
  const [vector] = await embedder.embed(["a probe of a deployment"]);
  if (vector === undefined) throw new TypeError("The embedder returned no vector");
  const collection = await openIfThere(store, name);
  if (collection === undefined) return;
  const ours = await embedder.identity();
  if (!sameEmbedder(collection.info.embedder, ours))
    throw new HoldfastError(
      `The collection ${name} holds vectors of another model than ${ours.provider}/${ours.model}`,
      {
        code: "EMBEDDER_MISMATCH",
        hint: "Set embedder to the one that made it, or name another collection_name.",
      },
    );
  await collection.query(vector, { limit: 1, timeoutMs: CALL_LIMIT_MS });
}

async function openIfThere(
  store: VectorStore,
  name: string,
): Promise<VectorCollection | undefined> {
  try {
    return await store.openCollection(name, { timeoutMs: CALL_LIMIT_MS });
  } catch (error) {
    // The first write makes it.
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") return undefined;
    throw error;
  }
}
