import type { Config } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import type { MemoryOptions, OutboxBounds } from "@holdfast/memory";
import { callLimits } from "./breaker-options.ts";
import type { Workspace } from "./workspace.ts";

/** How the configuration wants the memory to be kept. */
export function memoryOptions(workspace: Workspace, background: boolean): MemoryOptions {
  const { config, stateDirectory } = workspace;
  return {
    stateDirectory,
    collection: config.vector_store.config.collection_name,
    outbox: outboxBounds(config),
    limits: callLimits(config),
    waitMs: durationMs(config.outbox.wait),
    background,
  };
}

export function outboxBounds({ outbox }: Config): OutboxBounds {
  return {
    recordsMax: outbox.records_max,
    bytesMax: outbox.bytes_max,
    keptRecordsMax: outbox.kept_records_max,
    keptBytesMax: outbox.kept_bytes_max,
  };
}
