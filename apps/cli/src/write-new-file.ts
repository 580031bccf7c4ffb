import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HoldfastError } from "@holdfast/core";

/**
 * Creates a file with all of its content or not at all, and never replaces one.
 * @returns false when a file of that name exists, which is then as it was
 */
export function writeNewFile(path: string, text: string, mode = 0o600): boolean {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, "w", mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    closeSync(descriptor);
    rmSync(temporary);
  }
}

/** Puts a file with all of its content in place of whatever file is there; readers see either. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, "w", mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file that somebody asked for by name, replacing one only by `force`.
 * @throws HoldfastError `FILE_EXISTS`, `FILE_UNWRITABLE`.
 */
export function writeTo(
  path: string,
  text: string,
  { force, mode }: { force: boolean; mode: number },
): void {
  try {
    if (force) return replaceFile(path, text, mode);
    if (writeNewFile(path, text, mode)) return;
  } catch (error) {
    throw new HoldfastError(`${path} cannot be written: ${(error as Error).message}`, {
      code: "FILE_UNWRITABLE",
      hint: "Choose a place that you can write to: --output FILE",
      cause: error,
    });
  }
  throw new HoldfastError(`${path} exists; it was left as it is`, {
    code: "FILE_EXISTS",
    hint: "Replace it with --force, or choose another name.",
  });
}
