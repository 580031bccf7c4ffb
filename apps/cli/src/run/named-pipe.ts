import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pipe {
  reader: Socket;
  /** For a process that is to read on where `reader` has stopped; to be closed here. */
  spare: number;
  /** For the program; to be closed here once it has it. */
  writer: number;
}

/**
 * A pipe as a shell would make it. Node's own are sockets, into which `echo x >/dev/stderr` cannot
 * write. Undefined where none can be made.
 */
export function openPipe(): Pipe | undefined {
  let folder: string | undefined;
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const descriptor = openSync(path, flags);
    opened.push(descriptor);
    return descriptor;
  };
  try {
    folder = mkdtempSync(join(tmpdir(), "holdfast-run-"));
    const path = join(folder, "stderr");
    if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) return undefined;
    // The readers first: a writer that nobody reads would wait.
    const reading = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const spare = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = open(path, constants.O_WRONLY);
    const reader = new Socket({ fd: reading, readable: true, writable: false });
    return { reader, spare, writer };
  } catch {
    // The program runs all the same; the end of its stderr stays unknown.
    for (const descriptor of opened) closeSync(descriptor);
    return undefined;
  } finally {
    // All ends are open: its name is not needed any more.
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
