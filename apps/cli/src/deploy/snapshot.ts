import { cpSync, existsSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { LoadedConfig } from "@holdfast/config";

/**
 * Keeps the configuration and the policies of a workspace in `folder`, created 0700. Returns what
 * is there.
 */
export function snapshot(folder: string, { file, directory }: LoadedConfig): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kept: string[] = [];
  if (file !== undefined) {
    cpSync(file, join(folder, basename(file)), { dereference: true });
    kept.push("configuration");
  }
  const policies = join(directory, "policies");
  if (existsSync(policies)) {
    cpSync(policies, join(folder, "policies"), { recursive: true });
    kept.push("policies");
  }
  return kept;
}
