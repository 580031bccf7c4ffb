import { HoldfastError } from "@holdfast/core";
import type { Context } from "./context.ts";
import { workspaceOf } from "./workspace.ts";

/** The data directory of the Chroma that Holdfast runs, for commands that only make sense then. */
export function managedDirectory(context: Context): string {
  const loaded = context.config();
  const { dataDirectory } = workspaceOf(loaded);
  if (dataDirectory !== undefined) return dataDirectory;
  const { mode, host } = loaded.config.vector_store.config;
  throw new HoldfastError(
    `This workspace uses a Chroma that runs elsewhere (${host ?? mode ?? "cloud"}); Holdfast does not manage it`,
    { code: "SERVER_NOT_MANAGED", hint: "See how it fares with: holdfast server status" },
  );
}
