import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder on a file system of its own, unmounted and removed on disposal. */
export interface Mount extends Disposable {
  path: string;
  /** Makes the mounted files unwritable, or writable again. */
  setReadOnly(readOnly: boolean): void;
}

/** Why a test that needs a mount cannot run here; undefined when it can. */
export function mountObstacle(): string | undefined {
  if (process.platform !== "linux") return "wants Linux, for a tmpfs of its own";
  try {
    smallDisk(1)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `wants the right to mount a tmpfs (root): ${(error as Error).message}`;
  }
}

/** A disk of `sizeMb` megabytes (tmpfs), which a test can fill. */
export function smallDisk(sizeMb: number): Mount {
  const path = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${sizeMb}m,mode=0700`, "tmpfs", path);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return {
    path,
    setReadOnly: (readOnly) => run("mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, path),
    [Symbol.dispose]: () => {
      run("umount", "--lazy", path);
      rmdirSync(path);
    },
  };
}

/** Mounts `path` over itself, so that what opens it from now on cannot write; undone on disposal. */
export function readOnlyView(path: string): Disposable {
  run("mount", "--bind", path, path);
  const view = { [Symbol.dispose]: () => run("umount", "--lazy", path) };
  try {
    run("mount", "-o", "remount,bind,ro", path);
  } catch (error) {
    view[Symbol.dispose]();
    throw error;
  }
  return view;
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} failed: ${stderr.trim()}`);
}
