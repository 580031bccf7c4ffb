import { createHash } from "node:crypto";
import { join } from "node:path";
import { stateDirectoryOf } from "@holdfast/chroma/state";
import { HoldfastError } from "@holdfast/core";
import type { Config, LoadedConfig } from "@holdfast/config";

/** Where one configuration's memories and their state live. */
export interface Workspace {
  config: Config;
  /** Outbox, mirror, breaker state; for a managed store also locks, records and logs. */
  stateDirectory: string;
  /** Where our own Chroma writes; undefined when Chroma runs elsewhere. */
  dataDirectory: string | undefined;
}

export function workspaceOf(loaded: Pick<LoadedConfig, "config" | "directory">): Workspace {
  const { config, directory } = loaded;
  const store = config.vector_store.config;
  if (store.mode === "managed") {
    const dataDirectory = store.persist_directory ?? join(directory, ".holdfast", "chroma");
    return { config, dataDirectory, stateDirectory: stateDirectory(dataDirectory) };
  }
  const key = createHash("sha256")
    .update(JSON.stringify(placeOf(config)))
    .digest("hex");
  const folder = join(directory, ".holdfast", "state", key.slice(0, 16));
  return { config, dataDirectory: undefined, stateDirectory: folder };
}

/** What all processes of a workspace have measured; there is none before the first has. */
export function metricsFileOf({ stateDirectory: folder }: Workspace): string {
  return join(folder, "metrics.db");
}

/** What was done to repair the store, by whatever process. */
export function recoveryFileOf({ stateDirectory: folder }: Workspace): string {
  return join(folder, "recovery.db");
}

function stateDirectory(dataDirectory: string): string {
  try {
    return stateDirectoryOf(dataDirectory);
  } catch (error) {
    throw new HoldfastError(
      `The data directory ${dataDirectory} cannot be used: ${(error as Error).message}`,
      {
        code: "DATA_DIRECTORY_INVALID",
        hint: "Correct vector_store.config.persist_directory; every part of it must be a folder.",
        cause: error,
      },
    );
  }
}

/** What tells one remote database from another. */
function placeOf(config: Config): unknown {
  const { mode, host, port, ssl, tenant, database } = config.vector_store.config;
  return { mode, host, port, ssl, tenant, database };
}
