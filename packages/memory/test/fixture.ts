import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import { StoreError } from "@holdfast/store";
import { type FaultHook, InMemoryVectorStore } from "@holdfast/store/testing";
import {
  breakerOutcome,
  createMemory,
  type Embedder,
  type Memory,
  type MemoryDeps,
  type MemoryOptions,
} from "@holdfast/memory";

const DIMENSION = 16;

/** Letters counted into a short vector: near texts are near, and every run gives the same. */
export function letterEmbedder(model = "letters"): Embedder & { embedded: string[] } {
  const embedded: string[] = [];
  return {
    embedded,
    identity: () => Promise.resolve({ provider: "test", model, dimension: DIMENSION }),
    embed: (texts) => {
      embedded.push(...texts);
      return Promise.resolve(
        texts.map((text) => {
          const vector = new Float32Array(DIMENSION).fill(0.01);
          for (const char of text.toLowerCase()) {
            const index = (char.codePointAt(0) ?? 0) % DIMENSION;
            vector[index] = (vector[index] ?? 0) + 1;
          }
          return vector;
        }),
      );
    },
  };
}

export interface Workspace extends AsyncDisposable {
  directory: string;
  store: InMemoryVectorStore;
  embedder: ReturnType<typeof letterEmbedder>;
  /** Opens another memory on the same file and store, as another process would. */
  open(options?: Partial<MemoryOptions>, deps?: Partial<MemoryDeps>): Memory;
}

export function workspace(faults?: FaultHook): Workspace {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-memory-"));
  const store = new InMemoryVectorStore(faults === undefined ? {} : { faults });
  const embedder = letterEmbedder();
  const opened: Memory[] = [];
  return {
    directory,
    store,
    embedder,
    open(options = {}, deps = {}) {
      const breaker = new CircuitBreaker({
        name: "test",
        classify: breakerOutcome,
        failureThreshold: 1_000,
      });
      const memory = createMemory(
        { stateDirectory: directory, background: false, ...options },
        { store, embedder, breaker, ...deps },
      );
      opened.push(memory);
      return memory;
    },
    async [Symbol.asyncDispose]() {
      for (const memory of opened) await memory.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function unavailable(outcomeUnknown = false): StoreError {
  return new StoreError("the store is down", { code: "STORE_UNAVAILABLE", outcomeUnknown });
}
