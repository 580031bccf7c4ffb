import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { KernelLock } from "@holdfast/sqlite";
import { BackupError } from "./backup-error.ts";
import { syncData } from "./data-file.ts";
import { formatManifest, readManifest } from "./manifest.ts";
import type { Compression, Manifest } from "./manifest-schema.ts";
import { syncDirectory } from "./safe-file.ts";

const LOCK = ".holdfast-backup.lock";
const UNFINISHED = /^\..+\.holdfast-unfinished$/;

/**
 * The folder that a backup is written into: one writer at a time, nothing unfinished under a
 * backup's name, and what a writer that died has left is cleared away.
 */
export class BackupFolder implements Disposable {
  readonly #path: string;
  readonly #lock: KernelLock;

  private constructor(path: string, lock: KernelLock) {
    this.#path = path;
    this.#lock = lock;
  }

  /** @throws BackupError `BACKUP_BUSY` when another process writes there, `BACKUP_FAILED`. */
  static open(path: string): BackupFolder {
    const lock = translated(path, () => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return KernelLock.tryAcquire(join(path, LOCK));
    });
    if (lock === undefined)
      throw new BackupError(`Another backup is being written to ${path}`, {
        code: "BACKUP_BUSY",
        retryable: true,
        hint: "Wait for it, then run the command again.",
      });
    const folder = new BackupFolder(path, lock);
    try {
      translated(path, () => folder.#clear());
    } catch (error) {
      lock.release();
      throw error;
    }
    return folder;
  }

  /** The name of a backup's data: no two backups share it, so replacing one is a single rename. */
  static dataName(manifestPath: string, id: string, compression: Compression): string {
    const stem = basename(manifestPath).replace(/\.ya?ml$/i, "");
    return `${stem}.${id.slice(0, 8)}.jsonl.${compression === "zstd" ? "zst" : "gz"}`;
  }

  /** Where something is written until it is complete. */
  unfinished(name: string): string {
    return join(this.#path, `.${name}.holdfast-unfinished`);
  }

  async writeManifest(name: string, manifest: Manifest): Promise<number> {
    const text = formatManifest(manifest);
    const path = this.unfinished(name);
    translated(this.#path, () => writeFileSync(path, text, { flag: "wx", mode: 0o600 }));
    await syncData(path);
    requireReadable(path);
    return Buffer.byteLength(text);
  }

  /** Gives it its name; what had the name is gone. */
  finish(name: string): void {
    translated(this.#path, () => {
      renameSync(this.unfinished(name), join(this.#path, name));
      syncDirectory(this.#path);
    });
  }

  discard(name: string): void {
    rmSync(this.unfinished(name), { force: true });
  }

  [Symbol.dispose](): void {
    this.#lock.release();
  }

  /** A manifest that is complete but for its name was about to follow its data. */
  #clear(): void {
    for (const name of readdirSync(this.#path)) {
      if (!UNFINISHED.test(name)) continue;
      const path = join(this.#path, name);
      if (/\.ya?ml\.holdfast-unfinished$/i.test(name)) {
        const data = dataNamedIn(path);
        if (data !== undefined) rmSync(join(this.#path, data), { force: true });
      }
      rmSync(path, { force: true });
    }
  }
}

function requireReadable(path: string): void {
  try {
    readManifest(path);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new BackupError(`The manifest cannot be read again: ${error.message}`, {
      code: "BACKUP_FAILED",
      hint: "Configuration and policies are part of it, 1 MiB together at most: leave policies out.",
      cause: error,
    });
  }
}

function dataNamedIn(path: string): string | undefined {
  try {
    return readManifest(path).data?.file;
  } catch (error) {
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}

function translated<T>(folder: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError(`${folder} cannot be written to: ${(error as Error).message}`, {
      code: "BACKUP_FAILED",
      hint: "Check the folder's permissions and space, or name another with --output.",
      cause: error,
    });
  }
}
