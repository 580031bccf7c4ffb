import { CircuitBreaker, type BreakerOptions } from "@holdfast/breaker";
import { ChromaStore, managedEndpoint, stateDirectoryOf } from "@holdfast/chroma";
import { hashEmbedder } from "@holdfast/embedder/testing";
import {
  breakerOutcome,
  createMemory,
  type Memory,
  type MemoryDeps,
  type MemoryOptions,
} from "@holdfast/memory";

const DIMENSION = 64;

/** The memory of a managed data directory, as any process of ours opens it. */
export function openMemory(
  dataDirectory: string,
  options: Partial<MemoryOptions> & { breaker?: Partial<BreakerOptions> } = {},
  deps: Pick<MemoryDeps, "failpoint" | "clock"> = {},
): Memory {
  const { breaker, ...rest } = options;
  return createMemory(
    { stateDirectory: stateDirectoryOf(dataDirectory), ...rest },
    {
      store: new ChromaStore({ mode: "managed", endpoint: managedEndpoint(dataDirectory) }),
      embedder: hashEmbedder({ dimension: DIMENSION }),
      breaker: new CircuitBreaker({ name: "chroma", classify: breakerOutcome, ...breaker }),
      ...deps,
    },
  );
}
