import { CircuitBreaker } from "@holdfast/breaker";
import { ChromaStore } from "@holdfast/chroma";
import { hashEmbedder } from "@holdfast/embedder/testing";
import {
  type BackupDeps,
  type Backups,
  breakerOutcome,
  createBackups,
  createMemory,
  type Memory,
  type MemoryDeps,
} from "@holdfast/memory";

const DIMENSION = 64;

export interface StoreAddress {
  host: string;
  port: number;
}

function depsOf({ host, port }: StoreAddress): Omit<MemoryDeps, "failpoint"> {
  return {
    store: new ChromaStore({ mode: "server", host, port, ssl: false }),
    embedder: hashEmbedder({ dimension: DIMENSION }),
    breaker: new CircuitBreaker({ name: "chroma", classify: breakerOutcome }),
  };
}

/** A memory over a Chroma that runs already, with its state in a folder of the test's. */
export function memoryOn(address: StoreAddress, stateDirectory: string): Memory {
  return createMemory({ stateDirectory, background: false }, depsOf(address));
}

export function backupsOn(
  address: StoreAddress,
  stateDirectory: string,
  failpoint?: NonNullable<BackupDeps["failpoint"]>,
): Backups {
  const settings = { stateDirectory, leaseMs: 2_000 };
  return createBackups(settings, {
    ...depsOf(address),
    ...(failpoint === undefined ? {} : { failpoint }),
  });
}
