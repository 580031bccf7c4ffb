import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";

/**
 * How the end of a program's stderr can be known without the program noticing:
 * - `none`: a terminal, where a program may draw; or what stdout is too, whose order must stay; or
 *   nothing is to be remembered.
 * - `file`: the program writes into the file itself; what it added is read afterwards.
 * - `relay`: a pipe; it writes into one of ours, and all of it is passed on.
 */
export type TailMode = "none" | "file" | "relay";

export function tailModeOf(bytesMax: number): TailMode {
  if (bytesMax === 0) return "none";
  const [stdout, stderr] = [statOf(1), statOf(2)];
  if (stderr === undefined || (stdout !== undefined && isSame(stdout, stderr))) return "none";
  // What a file was opened for is not known; the kernel opens it again by the number.
  if (stderr.isFile()) return process.platform === "linux" ? "file" : "none";
  return stderr.isFIFO() || stderr.isSocket() ? "relay" : "none";
}

/** How long the file behind stderr is now; undefined when it is none. */
export function stderrLength(): number | undefined {
  const stat = statOf(2);
  return stat?.isFile() === true ? stat.size : undefined;
}

/** What was added to the file behind stderr since it was `from` long, its end only. */
export function readStderr(from: number, bytesMax: number): string {
  const length = stderrLength() ?? 0;
  const start = Math.max(from, length - bytesMax);
  if (length <= start) return "";
  const descriptor = openSync("/proc/self/fd/2", "r");
  try {
    const buffer = Buffer.alloc(length - start);
    const read = readSync(descriptor, buffer, 0, buffer.length, start);
    return wholeLines(buffer.toString("utf8", 0, read), start > from);
  } finally {
    closeSync(descriptor);
  }
}

/** Beyond what is remembered, so that a secret whose name is cut off is found by its name. */
export const TAIL_MARGIN_BYTES = 8_192;

/** Keeps the end of what passes. */
export class Tail {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isCut = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#bytesMax * 2) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(-this.#bytesMax)];
    this.#bytes = this.#bytesMax;
    this.#isCut = true;
  }

  toString(): string {
    const bytes = Buffer.concat(this.#chunks);
    const text = bytes.subarray(-this.#bytesMax).toString("utf8");
    return wholeLines(text, this.#isCut || bytes.length > this.#bytesMax);
  }
}

/** What is left of a line may be half a secret. */
function wholeLines(text: string, isCut: boolean): string {
  return isCut ? text.replace(/^[^\r\n]*[\r\n]+/, "") : text;
}

function statOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    // It is closed, which is nothing to look at.
    return undefined;
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
