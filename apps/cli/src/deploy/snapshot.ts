import { cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LoadedConfig } from "@holdfast/config";
import { configurationOf, policiesOf } from "../backup/attachments.ts";
import { progressTeller } from "../backup/tell-progress.ts";
import type { Context } from "../context.ts";
import { withBackups } from "../wire.ts";
import { workspaceOf } from "../workspace.ts";

/**
 * Keeps what a deployment may change in `folder`, created 0700: the configuration in force, if
 * anything is deployed, and policies and memories of the workspace that it, or else `next`, leads
 * to. Returns what is there. @throws what a backup throws.
 */
export async function snapshot(
  folder: string,
  inForce: LoadedConfig | undefined,
  next: LoadedConfig,
  context: Context,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const loaded = inForce ?? next;
  const kept: string[] = [];
  if (inForce?.file !== undefined) {
    const content = dirname(realpathSync(inForce.file));
    cpSync(content, join(folder, "configuration"), { recursive: true });
    kept.push("configuration");
  }
  const policies = loaded.config.policies.directory;
  if (existsSync(policies)) {
    cpSync(policies, join(folder, "policies"), { recursive: true });
    kept.push("policies");
  }
  if (existsSync(join(workspaceOf(loaded).stateDirectory, "memory.db"))) {
    await backUpMemories(join(folder, "memories.yaml"), loaded, context);
    kept.push("memories");
  }
  return kept;
}

async function backUpMemories(path: string, loaded: LoadedConfig, context: Context): Promise<void> {
  const { output, signal } = context;
  const configuration = configurationOf(loaded);
  const progress = progressTeller(output);
  const report = await withBackups({ ...context, config: () => loaded }, (backups) =>
    backups.backup({
      output: path,
      compression: loaded.config.backup.compression,
      createdBy: "holdfast",
      ...(configuration === undefined
        ? {}
        : { configuration: { file: configuration.file, text: configuration.text } }),
      policies: policiesOf(loaded),
      onProgress: progress.onProgress,
      signal,
    }),
  );
  progress.done();
  if (report.partial !== undefined) output.warn(`the backup is partial: ${report.partial}`);
}
