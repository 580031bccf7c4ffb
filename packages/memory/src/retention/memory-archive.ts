import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syncDirectory } from "../backup/safe-file.ts";
import type { MirrorRow } from "../mirror-row.ts";

/**
 * A file of what was pruned, one memory a line as JSON, 0600 in a folder 0700. Made at the first
 * memory.
 */
export class MemoryArchive implements Disposable {
  readonly path: string;
  readonly #folder: string;
  #descriptor: number | undefined;

  /** @param now Wall-clock milliseconds, for the name. */
  constructor(folder: string, collection: string, now: number) {
    this.#folder = folder;
    const at = new Date(now).toISOString().replaceAll(":", "-");
    this.path = join(folder, `${collection}-${at}.jsonl`);
  }

  /** On the disk when this returns. */
  keep(rows: readonly MirrorRow[]): void {
    if (rows.length === 0) return;
    this.#descriptor ??= this.#create();
    const lines = rows.map(({ id, revision, content }) =>
      JSON.stringify({ id, revision, ...content }),
    );
    // Unlike writeSync, it goes on after a short write, and throws when the disk is full.
    writeFileSync(this.#descriptor, `${lines.join("\n")}\n`);
    fsyncSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #create(): number {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const descriptor = openSync(this.path, "wx", 0o600);
    syncDirectory(this.#folder);
    return descriptor;
  }
}
