import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy, translateOpenError } from "./sqlite-error.ts";

/**
 * An exclusive lock between processes that the kernel releases when its holder dies, however it
 * dies: an open write transaction on a small SQLite file, which is a POSIX record lock. It holds
 * across containers that share the folder, where a PID file means nothing.
 *
 * Never open the lock file by other means in the same process: closing any descriptor of it
 * would drop the lock (POSIX `fcntl`). Not for network file systems.
 */
export class KernelLock implements Disposable {
  readonly path: string;
  readonly #file: string | undefined;
  #raw: DatabaseSync | undefined;

  private constructor(path: string, raw: DatabaseSync) {
    this.path = path;
    this.#raw = raw;
    this.#file = fileAt(path);
  }

  /**
   * Takes the lock, or returns `undefined` when another process (or another holder in this one)
   * has it after `waitMs` (default 0).
   * @throws SqliteError when the file cannot be created or opened.
   */
  static tryAcquire(path: string, waitMs = 0): KernelLock | undefined {
    let raw: DatabaseSync | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      raw = new DatabaseSync(path, { timeout: waitMs });
      // Nothing is ever written: a journal on the disk would only want room on a full one.
      raw.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      chmodSync(path, 0o600);
      return new KernelLock(path, raw);
    } catch (error) {
      raw?.close();
      if (isBusy(error)) return undefined;
      throw translateOpenError(error, path);
    }
  }

  /** Whether somebody holds the lock now. It may change before the answer is read. */
  static isHeld(path: string): boolean {
    const lock = KernelLock.tryAcquire(path);
    lock?.release();
    return lock === undefined;
  }

  /**
   * Whether it still keeps others out: one whose file was moved or deleted is held, and whoever asks
   * for it by its path is given another.
   */
  isInPlace(): boolean {
    if (this.#raw === undefined) return false;
    try {
      return fileAt(this.path) === this.#file;
    } catch {
      // A folder that cannot be looked into says nothing of what is in it.
      return true;
    }
  }

  /** Idempotent. */
  release(): void {
    this.#raw?.close();
    this.#raw = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Which file has the path now; undefined for none. @throws what the system refuses. */
function fileAt(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
