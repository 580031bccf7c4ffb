import {
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** Creates a file whose content survives a power cut once this returns. */
export function writeDurably(path: string, text: string, mode = 0o600): void {
  const descriptor = openSync(path, "wx", mode);
  try {
    // Not `writeSync`, which writes a part, and no error, where the disk has room for no more.
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts a file or folder at `to` in one step, replacing a file there. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** Replaces a file with new content: readers see the old or the new, never a part. */
export function replaceDurably(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeDurably(temporary, text);
  renameDurably(temporary, path);
}

/** Lets `path` lead to `target` in one step, whatever it led to before. */
export function linkDurably(target: string, path: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  // A link to a file: Windows asks which kind it is to be.
  symlinkSync(target, temporary, "file");
  renameDurably(temporary, path);
}

/** Makes the names in a folder survive a power cut. Windows syncs no folders, and sees to that itself. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
