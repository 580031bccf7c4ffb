import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { BackupError, invalid } from "./backup-error.ts";

/**
 * Opens a file for reading, and only a file: not what a symbolic link leads to, no pipe, no device.
 * @throws BackupError `BACKUP_NOT_FOUND` or `BACKUP_INVALID`.
 */
export function openRegularFile(path: string): { descriptor: number; bytes: number } {
  let descriptor: number;
  try {
    // NONBLOCK: a pipe in its place must not make us wait for a writer.
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ELOOP") throw invalid(path, "it is a symbolic link", error);
    if (code !== "ENOENT" && code !== "ENOTDIR")
      throw invalid(path, `it cannot be read: ${(error as Error).message}`, error);
    throw new BackupError(`There is no file ${path}`, {
      code: "BACKUP_NOT_FOUND",
      hint: "See what there is with: holdfast memory backup list",
      cause: error,
    });
  }
  const stat = fstatSync(descriptor);
  if (stat.isFile()) return { descriptor, bytes: stat.size };
  closeSync(descriptor);
  throw invalid(path, "it is not a regular file");
}

/** The text of a small file. @throws BackupError as {@link openRegularFile}. */
export function readRegularFile(path: string, bytesMax: number): string {
  const { descriptor, bytes } = openRegularFile(path);
  try {
    if (bytes > bytesMax) throw invalid(path, `it is too large: ${bytes} bytes`);
    const content = readFileSync(descriptor);
    const text = content.toString("utf8");
    // What decoding changes would pass as unchanged.
    if (!Buffer.from(text).equals(content)) throw invalid(path, "it is not text");
    return text;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes what was created in a folder, renamed into it or out of it survive a power cut. Windows syncs
 * no folders, and sees to that itself.
 */
export function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
