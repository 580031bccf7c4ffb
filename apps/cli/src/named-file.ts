import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { HoldfastError } from "@holdfast/core";

/** The text of a file that somebody named. @throws HoldfastError with this code and hint. */
export function namedText(file: string, { code, hint }: { code: string; hint: string }): string {
  let read: Buffer;
  try {
    read = readFileSync(file);
  } catch (error) {
    throw new HoldfastError(whyUnread(file, error as NodeJS.ErrnoException), {
      code,
      hint,
      cause: error,
    });
  }
  if (isUtf8(read)) return read.toString("utf8");
  throw new HoldfastError(`${file} is not UTF-8 text`, {
    code,
    hint: "Convert it first, as with iconv.",
  });
}

function whyUnread(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `There is no file ${file}`;
  if (code === "EISDIR") return `${file} is a folder`;
  return `${file} cannot be read: ${message}`;
}
