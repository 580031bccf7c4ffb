import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import { ChromaStore } from "@holdfast/chroma";
import { seededRandom } from "@holdfast/core";
import { hashEmbedder } from "@holdfast/embedder/testing";
import {
  breakerOutcome,
  createMemory,
  type Embedder,
  type Memory,
  type MemoryOptions,
} from "@holdfast/memory";
import { ChromaClient, type Collection } from "chromadb";

const DIMENSION = 384;
const NOISE = 0.05;
const RAW_BATCH = 1_000;

export interface Address {
  host: string;
  port: number;
}

/** Nothing listens on port 9 (discard) of any machine that runs this. */
export const NOWHERE: Address = { host: "127.0.0.1", port: 9 };

/** A memory in a scratch folder, and what a benchmark may need beside it. */
export interface Workspace extends AsyncDisposable {
  memory: Memory;
  breaker: CircuitBreaker;
  /** The outbox and the mirror. */
  file: string;
}

export function openWorkspace(
  address: Address,
  embedder: Embedder,
  options: Partial<MemoryOptions> = {},
): Workspace {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  const breaker = new CircuitBreaker({ name: "chroma", classify: breakerOutcome });
  const store = new ChromaStore({ mode: "server", ...address });
  const memory = createMemory(
    { stateDirectory: directory, ...options },
    { store, embedder, breaker },
  );
  return {
    memory,
    breaker,
    file: join(directory, "memory.db"),
    async [Symbol.asyncDispose]() {
      await memory.close();
      await store.close();
      breaker.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Vectors computed beforehand, so that no benchmark measures their making: near for texts that share
 * words, and like a model's in that no component is zero, which JSON would write in one digit.
 */
export class KnownVectors implements Embedder {
  readonly #vectors = new Map<string, Float32Array>();
  readonly #hash = hashEmbedder({ dimension: DIMENSION });
  readonly #random = seededRandom(DIMENSION);

  async learn(texts: readonly string[]): Promise<void> {
    const vectors = await this.#hash.embed(texts);
    for (const [index, text] of texts.entries()) {
      this.#vectors.set(text, this.#dense(vectors[index] as Float32Array));
    }
  }

  of(text: string): Float32Array {
    const vector = this.#vectors.get(text);
    if (vector === undefined) throw new Error(`This text was not learnt: ${text}`);
    return vector;
  }

  identity(): ReturnType<Embedder["identity"]> {
    return this.#hash.identity();
  }

  embed(texts: readonly string[]): Promise<Float32Array[]> {
    return Promise.resolve(texts.map((text) => this.of(text)));
  }

  #dense(vector: Float32Array): Float32Array {
    const noisy = vector.map((value) => value + NOISE * (this.#random.next() - 0.5));
    const length = Math.hypot(...noisy);
    return noisy.map((value) => value / length);
  }
}

/** Chroma's own client, used as its documentation says. */
export function rawClient({ host, port }: Address): ChromaClient {
  return new ChromaClient({ host, port, ssl: false });
}

export function rawCollection(client: ChromaClient, name: string): Promise<Collection> {
  return client.createCollection({
    name,
    embeddingFunction: null,
    configuration: { hnsw: { space: "cosine" } },
  });
}

/** Writes texts in batches of a thousand, each with the id `m` and its place. */
export async function rawUpsert(
  collection: Collection,
  texts: readonly string[],
  known: KnownVectors,
): Promise<void> {
  for (let from = 0; from < texts.length; from += RAW_BATCH) {
    const batch = texts.slice(from, from + RAW_BATCH);
    await collection.upsert({
      ids: batch.map((_, at) => `m${from + at}`),
      embeddings: batch.map((text) => Array.from(known.of(text))),
      documents: batch,
      metadatas: batch.map((_, at) => rawMetadata(from + at)),
    });
  }
}

/** What a program without Holdfast would store beside a text: who said it, where, when, what kind. */
export function rawMetadata(call: number): Record<string, string | number> {
  return { user: "ada", project: `p${call % 7}`, kind: "note", createdAt: Date.now() };
}

/** The same, said to a memory; it notes the time itself. */
export function ownMetadata(call: number): {
  scope: { user: string; project: string };
  metadata: { kind: string };
} {
  return { scope: { user: "ada", project: `p${call % 7}` }, metadata: { kind: "note" } };
}
