import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackupCallOptions, DrillReport } from "@holdfast/memory";
import type { Context } from "../context.ts";
import { tellInstall } from "../tell-install.ts";
import { openEmbedder } from "../wire.ts";

/** A scratch server whose owner dies is ended by itself. */
const ORPHAN_MS = 60_000;

/**
 * Restores a backup into a Chroma of its own in a temporary folder, restarts that, compares, and
 * removes it. Neither the memories in use nor their server are touched.
 * @throws BackupError `DRILL_FAILED`; ServerError when no Chroma runs here.
 */
export async function drillBackup(
  path: string,
  context: Context,
  call: BackupCallOptions,
): Promise<DrillReport> {
  const [{ ManagedServer, ChromaStore }, memory] = await Promise.all([
    import("@holdfast/chroma"),
    import("@holdfast/memory"),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-drill-"));
  const { command } = context.config().config.vector_store.config;
  const server = new ManagedServer({
    dataDirectory: join(folder, "chroma"),
    orphanMs: ORPHAN_MS,
    ...(command === undefined ? {} : { command }),
    find: { onProgress: (progress) => tellInstall(progress, context.output) },
  });
  const embedder = await openEmbedder(context);
  try {
    const connect = async (): Promise<InstanceType<typeof ChromaStore>> => {
      const { host, port } = await server.start(context.signal);
      return new ChromaStore({ mode: "server", host, port, ssl: false });
    };
    const store = await connect();
    const scratch = {
      stateDirectory: join(folder, "state"),
      store,
      reopen: async () => {
        await store.close();
        await server.halt();
        return connect();
      },
    };
    return await memory.drillBackup(path, scratch, embedder, call);
  } finally {
    await embedder.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
