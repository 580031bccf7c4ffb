import { cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LoadedConfig } from "@holdfast/config";

/**
 * Keeps what a deployment may change in `folder`, created 0700: the configuration in force, if
 * anything is deployed, and the policies of the workspace that it, or else `next`, leads to.
 * Returns what is there.
 */
export function snapshot(
  folder: string,
  inForce: LoadedConfig | undefined,
  next: LoadedConfig,
): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kept: string[] = [];
  if (inForce?.file !== undefined) {
    const content = dirname(realpathSync(inForce.file));
    cpSync(content, join(folder, "configuration"), { recursive: true });
    kept.push("configuration");
  }
  const policies = join((inForce ?? next).directory, "policies");
  if (existsSync(policies)) {
    cpSync(policies, join(folder, "policies"), { recursive: true });
    kept.push("policies");
  }
  return kept;
}
