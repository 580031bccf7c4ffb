import type { ManagedServerOptions } from "@holdfast/chroma";
import { durationMs } from "@holdfast/core";
import type { Workspace } from "./workspace.ts";

/** How the configuration wants its own Chroma to be run; undefined when Chroma runs elsewhere. */
export function managedServerOptions({
  config,
  dataDirectory,
}: Workspace): ManagedServerOptions | undefined {
  if (dataDirectory === undefined) return undefined;
  const { command, allow_reset: allowReset, keep_replayable: keep } = config.vector_store.config;
  return {
    dataDirectory,
    allowReset: allowReset ?? false,
    keepReplayable: keep ?? false,
    orphanMs: durationMs(config.keeper.idle_timeout),
    ...(command === undefined ? {} : { command }),
  };
}
