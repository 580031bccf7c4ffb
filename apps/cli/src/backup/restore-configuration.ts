import { existsSync, linkSync, mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CONFIG_FILE_NAME, parseConfig } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import { readManifest, verifyBackup } from "@holdfast/memory";
import type { Context } from "../context.ts";
import { columns } from "../output.ts";
import { replaceFile } from "../write-new-file.ts";
import { counted } from "../counted.ts";

interface Part {
  file: string;
  text: string;
  /** Where the present file is kept; undefined when there is none. */
  keptAs: string | undefined;
}

/**
 * Puts a backup's configuration and policies in the place of the present ones, which are kept
 * beside them.
 */
export async function restoreConfiguration(
  path: string,
  options: { dryRun?: boolean; yes?: boolean },
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await verifyBackup(path, { signal });
  const { configuration, policies = [] } = readManifest(path);
  const loaded = context.config();
  const file = loaded.file ?? join(context.workingDirectory, CONFIG_FILE_NAME);
  if (configuration === undefined && policies.length === 0)
    throw new HoldfastError(`${path} holds neither configuration nor policies`, {
      code: "RESTORE_REFUSED",
      hint: "Nothing was changed. Restore its memories without --config-only.",
    });
  const stamp = new Date().toISOString().replaceAll(":", "-");
  const part = (target: string, text: string): Part => ({
    file: target,
    text,
    keptAs: existsSync(target) ? `${target}.before-${stamp}` : undefined,
  });
  const parts: Part[] = policies.map((policy) =>
    part(join(loaded.config.policies.directory, basename(policy.file)), policy.text),
  );
  if (configuration !== undefined) {
    // What would not load is not put in force. Throws CONFIG_INVALID.
    parseConfig(configuration.text, { file, environment: context.environment });
    parts.push(part(file, configuration.text));
  }
  const told = parts.map(({ file: target, keptAs }) => ({ file: target, keptAs }));
  const rows = columns(
    told.map(({ file: target, keptAs }) => [
      target,
      keptAs === undefined ? "(new)" : `the present one is kept as ${basename(keptAs)}`,
    ]),
  );
  const dryRun = options.dryRun === true;
  if (dryRun || !(await context.confirm(`Replace ${counted(parts.length, "file")}?`, options))) {
    output.result({ files: told, dryRun: true }, `${rows}\nNothing was changed.`);
    return;
  }
  for (const each of parts) put(each);
  output.result({ files: told, dryRun: false }, `Restored:\n${rows}`);
}

/** The present file keeps its name until the new one takes it. */
function put({ file, text, keptAs }: Part): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (keptAs !== undefined) linkSync(file, keptAs);
  replaceFile(file, text);
}
