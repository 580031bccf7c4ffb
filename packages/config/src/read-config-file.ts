import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { BYTES_MAX } from "@holdfast/document";
import { ConfigError } from "./config-error.ts";

/**
 * The text of a configuration file, up to one byte more than may be read.
 * @throws ConfigError `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`.
 */
export function readConfigFile(file: string): string {
  try {
    return readStart(file, BYTES_MAX + 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new ConfigError(`There is no configuration file ${file}`, {
        code: "CONFIG_NOT_FOUND",
        hint: "Create one with: holdfast init",
        cause: error,
      });
    throw unreadable(file, error);
  }
}

/** The text of a file up to a bound: it may be a pipe, or a device without end. */
function readStart(file: string, bytesMax: number): string {
  const descriptor = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(bytesMax);
    let length = 0;
    while (length < bytesMax) {
      const got = readSync(descriptor, buffer, length, bytesMax - length, null);
      if (got === 0) break;
      length += got;
    }
    const read = buffer.subarray(0, length);
    // One that is cut off at the bound, perhaps within a character, is too large anyway.
    if (length < bytesMax && !isUtf8(read)) throw new TypeError("it is not UTF-8");
    return read.toString("utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** @throws ConfigError `CONFIG_UNREADABLE` where that cannot be told, as in a folder that is closed. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(file: string, cause: unknown): ConfigError {
  return new ConfigError(`The configuration ${file} cannot be read: ${(cause as Error).message}`, {
    code: "CONFIG_UNREADABLE",
    hint: "Make it a file of UTF-8 text that you can read.",
    cause,
  });
}
