import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { HoldfastError } from "@holdfast/core";

/**
 * Creates a file with all of its content or not at all, and never replaces one.
 * @returns false when a file of that name exists, which is then as it was
 */
export function writeNewFile(path: string, text: string, mode = 0o600): boolean {
  const temporary = writeBeside(path, text, mode);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary);
  }
}

/**
 * Puts a file with all of its content in place of whatever file is there: readers see the old one
 * or the new, and a power cut leaves one of them.
 */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const temporary = writeBeside(path, text, mode);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes the content beside where it belongs, and returns where. Nothing is left when it fails. */
function writeBeside(path: string, text: string, mode: number): string {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, "w", mode);
  try {
    // Not `writeSync`, which writes a part, and no error, where the disk has room for no more.
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return temporary;
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
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `there is no folder ${dirname(path)}` : message;
    throw new HoldfastError(`${path} cannot be written: ${why}`, {
      code: "FILE_UNWRITABLE",
      hint: "Name a file in a folder that is there and that you can write to.",
      cause: error,
    });
  }
  throw new HoldfastError(`${path} exists; it was left as it is`, {
    code: "FILE_EXISTS",
    hint: "Replace it with --force, or choose another name.",
  });
}
