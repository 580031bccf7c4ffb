import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pipe {
  reader: Socket;
  /** For the program; to be closed here once it has it. */
  writer: number;
}

/**
 * A pipe as a shell would make it. Node's own are sockets, into which `echo x >/dev/stderr` cannot
 * write. Undefined where none can be made.
 */
export function openPipe(): Pipe | undefined {
  let folder: string | undefined;
  let reading: number | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "holdfast-run-"));
    const path = join(folder, "stderr");
    if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) return undefined;
    // The reader first: a writer that nobody reads would wait.
    reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    return { reader: new Socket({ fd: reading, readable: true, writable: false }), writer };
  } catch {
    // The program runs all the same; the end of its stderr stays unknown.
    if (reading !== undefined) closeSync(reading);
    return undefined;
  } finally {
    // Both ends are open: its name is not needed any more.
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
