import { spawn } from "node:child_process";
import { closeSync, readSync } from "node:fs";
import type { Pipe } from "./named-pipe.ts";
import type { Tail } from "./stderr-tail.ts";

/** More than this no pipe holds. */
const PIPE_BYTES_MAX = 1_048_576;
const CHUNK_BYTES = 65_536;

/** Passes on to our stderr what comes through a pipe, as fast as it is taken, and keeps its end. */
export class StderrRelay {
  readonly #pipe: Pipe;
  readonly #tail: Tail;
  #closed = false;

  constructor(pipe: Pipe, tail: Tail) {
    this.#pipe = pipe;
    this.#tail = tail;
    pipe.reader.on("data", (chunk: Buffer) => {
      if (this.#pass(chunk)) return;
      pipe.reader.pause();
      process.stderr.once("drain", () => pipe.reader.resume());
    });
    // Nobody reads ours any more: neither will anybody read the program's.
    process.stderr.on("error", () => this.close());
  }

  /** What was passed on last. */
  get tail(): string {
    return this.#tail.toString();
  }

  /**
   * Resolves when all that the program wrote was taken. What it left behind may hold the pipe for
   * ever: then that goes to a `cat`, which passes on what still comes, and ends with it.
   */
  async end(): Promise<void> {
    const { reader, spare } = this.#pipe;
    // In one turn of the event loop: what is read and not passed on is lost.
    reader.pause();
    reader.read();
    reader.destroy();
    const isHeld = await this.#empty();
    if (isHeld && !this.#closed)
      spawn("cat", { stdio: [spare, process.stderr, "ignore"], detached: true })
        .on("error", () => undefined)
        .unref();
    this.close();
  }

  /** Reads no more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pipe.reader.destroy();
    closeSync(this.#pipe.spare);
  }

  /** Passes on what the pipe holds, and says whether somebody may still write into it. */
  async #empty(): Promise<boolean> {
    for (let left = PIPE_BYTES_MAX; left > 0 && !this.#closed;) {
      // oxlint-disable-next-line no-await-in-loop -- in order, and as fast as it is taken
      await taken(process.stderr);
      const chunk = this.#closed ? undefined : readNow(this.#pipe.spare);
      if (chunk === undefined) return true;
      if (chunk.length === 0) return false;
      left -= chunk.length;
      this.#pass(chunk);
    }
    await taken(process.stderr);
    return true;
  }

  #pass(chunk: Buffer): boolean {
    this.#tail.push(chunk);
    return process.stderr.write(chunk);
  }
}

/** What can be read at once: nothing at the end, undefined where more may come. */
function readNow(descriptor: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    return buffer.subarray(0, readSync(descriptor, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
    throw error;
  }
}

/** Resolves when all that was written to a stream is out, or never will be. */
async function taken(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0)
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
