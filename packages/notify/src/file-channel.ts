import { constants } from "node:fs";
import { type FileHandle, open, rename, stat } from "node:fs/promises";
import type { Channel } from "./channel.ts";
import { notificationJson } from "./notification.ts";
import { NotifyError } from "./notify-error.ts";

/** A line of JSON for each notification, appended to a file that only its owner may read. */
export interface FileChannelOptions {
  type: "file";
  path: string;
  /** When it is this large it becomes `path.1`, and what was that, `path.2`. Default 1048576. */
  bytesMax?: number;
  /** How many such older files are kept. Default 3. */
  keep?: number;
}

export const FILE_DEFAULTS = { bytesMax: 1_048_576, keep: 3 } as const;
const LINE_BYTES_MAX = 65_536;

export function fileChannel(options: FileChannelOptions): Channel {
  const { path, bytesMax, keep } = { ...FILE_DEFAULTS, ...options };
  if (path === "") throw new NotifyError("CHANNEL_INVALID", "A file channel needs a path");
  return {
    name: `file ${path}`,
    async send(notification) {
      const line = Buffer.from(`${notificationJson(notification, LINE_BYTES_MAX - 1)}\n`);
      try {
        const handle = await openOwn(path);
        try {
          // One write to the end of the file: lines of several processes do not mix. Only of what a
          // full disk takes in part there is a second one, which says why.
          await handle.writeFile(line);
          await handle.datasync();
          if ((await handle.stat()).size >= bytesMax)
            await rotate(handle, path, keep).catch(ignoreMissing);
        } finally {
          await handle.close();
        }
      } catch (error) {
        const message = `${path} cannot be written: ${(error as Error).message}`;
        throw new NotifyError("NOTICE_UNDELIVERED", message, { cause: error });
      }
    },
  };
}

/** Opened without following a link at its end, so that nobody can lead it into another file. */
async function openOwn(path: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  // Windows has no O_NOFOLLOW: there the flag is undefined, and `|` makes it 0.
  const handle = await open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  await handle.chmod(0o600);
  return handle;
}

async function rotate(handle: FileHandle, path: string, keep: number): Promise<void> {
  // Another process may have moved it meanwhile, and may be writing to the next one.
  const [own, there] = await Promise.all([handle.stat(), stat(path)]);
  if (own.ino !== there.ino) return;
  if (keep === 0) {
    await handle.truncate(0);
    return;
  }
  for (let number = keep - 1; number >= 1; number -= 1) {
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing);
  }
  await rename(path, `${path}.1`);
}

/** Another process has moved it first. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
