import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  ftruncateSync,
  globSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Stage } from "./stage.ts";

export interface Fault {
  name: string;
  /** One of these checks must turn red; none may, where none is named. */
  red: readonly string[];
  /**
   * `refused`: only a person can end it, whom `lift` stands for. `failed`: so it is found to be when
   * a step is tried. `healthy`: the store does its work, and nothing is repaired.
   */
  ends: "recovered" | "refused" | "failed" | "healthy";
  /** Breaks something; returns what a person would do about it. */
  inject(stage: Stage): Promise<Lift | undefined>;
  /** On a file system of its own, which can be filled. */
  onSmallDisk?: true;
  /** Needs the right to mount. */
  mounts?: true;
  /** Sets the clock of the server and of all that looks at it. */
  setsClock?: true;
  /** On an index that Chroma has persisted, which takes a thousand memories. */
  onIndex?: true;
  /** Ends in another way on the newer build, which is why every run has it there. */
  differs?: true;
  /** Means nothing on the other builds. */
  onlyOn?: string;
  /** With a collection that another program filled, which must come through as it is. */
  withForeign?: true;
}

export type Lift = () => Promise<void> | void;

/** Damages the files of a server that does not run, and starts it on them, as a user would. */
function onDisk(damage: (stage: Stage) => void): Fault["inject"] {
  return async (stage) => {
    await stage.server.halt();
    damage(stage);
    // It may not start at all: that is what the checks are to find.
    await stage.server.start().catch(() => undefined);
    return undefined;
  };
}

/** The folder of the memories' index: the one that was persisted. */
function indexFolder({ dataDirectory }: Stage, collection = "memories"): string {
  using database = new DatabaseSync(join(dataDirectory, "chroma.sqlite3"), { readOnly: true });
  const { id } = database
    .prepare(
      `SELECT segments.id FROM segments JOIN collections ON collections.id = segments.collection
       WHERE collections.name = ? AND scope = 'VECTOR'`,
    )
    .get(collection) as { id: string };
  return join(dataDirectory, id);
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

function headerAhead(folder: string): void {
  const file = join(folder, "header.bin");
  const bytes = readFileSync(file);
  bytes.writeUInt32LE(bytes.readUInt32LE(20) + 30, 20);
  writeFileSync(file, bytes);
}

const catalogue = ({ dataDirectory }: Stage): string => join(dataDirectory, "chroma.sqlite3");

const PROCESS: Fault[] = [
  {
    name: "the server is killed (kill -9)",
    red: ["process"],
    ends: "recovered",
    inject: async (stage) => {
      process.kill(stage.running.pid, "SIGKILL");
      while (stage.server.running !== undefined) await pause(20);
      return undefined;
    },
  },
  {
    name: "the server is killed while memories are written",
    red: ["process"],
    ends: "recovered",
    inject: async (stage) => {
      const items = Array.from({ length: 300 }, (_, n) => ({ text: `written late ${n}` }));
      await stage.memory.addMany(items, { waitMs: 0 });
      const draining = stage.memory.drain();
      await pause(15);
      process.kill(stage.running.pid, "SIGKILL");
      while (stage.server.running !== undefined) await pause(20);
      await draining;
      return undefined;
    },
  },
  {
    name: "the server's process is stopped (SIGSTOP)",
    differs: true,
    red: ["process", "place"],
    ends: "recovered",
    inject: (stage) => {
      process.kill(stage.running.pid, "SIGSTOP");
      return Promise.resolve(undefined);
    },
  },
  {
    name: "a second process has the directory open",
    red: ["one-server"],
    ends: "refused",
    inject: async (stage) => {
      const script = `require("fs").openSync(${JSON.stringify(catalogue(stage))}, "r+"); console.log(1); setInterval(() => 0, 1e6)`;
      const other = spawn(process.execPath, ["-e", script], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(other.stdout, "data");
      return async () => {
        other.kill("SIGKILL");
        await once(other, "close");
      };
    },
  },
];

const INDEX: Fault[] = [
  {
    name: "the index is torn: its header is ahead of its pickle",
    red: ["persistence", "process"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) => headerAhead(indexFolder(stage))),
  },
  {
    name: "the same in a collection that another program filled",
    red: ["persistence", "process"],
    ends: "recovered",
    onIndex: true,
    withForeign: true,
    inject: onDisk((stage) => headerAhead(indexFolder(stage, "others"))),
  },
  {
    name: "the index's pickle is deleted",
    red: ["persistence", "embeddings"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) => rmSync(join(indexFolder(stage), "index_metadata.pickle"))),
  },
  {
    name: "the index's pickle is garbage",
    red: ["persistence", "embeddings"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) =>
      writeFileSync(join(indexFolder(stage), "index_metadata.pickle"), Buffer.alloc(5_000, 0xa5)),
    ),
  },
  {
    name: "the index's folder is deleted",
    red: ["persistence", "embeddings"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) => rmSync(indexFolder(stage), { recursive: true })),
  },
  {
    name: "the index's header is cut off",
    red: ["persistence", "process"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) => truncateSync(join(indexFolder(stage), "header.bin"), 20)),
  },
  {
    name: "4 KB of garbage in the index's rows",
    differs: true,
    red: ["scrub", "process", "embeddings", "filtered-query", "collection"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) =>
      overwrite(join(indexFolder(stage), "data_level0.bin"), 8_192, Buffer.alloc(4_096, 0xff)),
    ),
  },
  {
    name: "one vector is zeroed in the index's rows",
    red: ["scrub"],
    ends: "recovered",
    onIndex: true,
    inject: onDisk((stage) => {
      const file = join(indexFolder(stage), "data_level0.bin");
      const row = readFileSync(join(dirname(file), "header.bin"));
      const rowBytes = Number(row.readBigUInt64LE(28));
      const vectorAt = Number(row.readBigUInt64LE(44));
      overwrite(file, 500 * rowBytes + vectorAt, Buffer.alloc(32 * 4));
    }),
  },
];

const SQLITE: Fault[] = [
  {
    name: "SQLite's first 16 bytes are overwritten",
    onIndex: true,
    red: ["persistence", "process"],
    ends: "recovered",
    withForeign: true,
    inject: onDisk((stage) => overwrite(catalogue(stage), 0, Buffer.alloc(16, 0x20))),
  },
  {
    name: "pages in the middle of SQLite are garbage",
    onIndex: true,
    red: ["persistence", "collection"],
    ends: "recovered",
    inject: onDisk((stage) => {
      const middle = Math.floor(statSync(catalogue(stage)).size / 2 / 4_096) * 4_096;
      overwrite(catalogue(stage), middle, Buffer.alloc(3 * 4_096, 0xa5));
    }),
  },
  {
    name: "SQLite is cut off at half its length",
    onIndex: true,
    red: ["persistence", "process"],
    ends: "recovered",
    inject: onDisk((stage) => {
      const half = Math.floor(statSync(catalogue(stage)).size / 2);
      const descriptor = openSync(catalogue(stage), "r+");
      ftruncateSync(descriptor, half);
      closeSync(descriptor);
    }),
  },
  {
    name: "SQLite is missing beside full index folders",
    onIndex: true,
    red: ["persistence", "collection"],
    ends: "recovered",
    inject: onDisk((stage) => rmSync(catalogue(stage))),
  },
  {
    name: "SQLite is empty beside full index folders",
    onIndex: true,
    red: ["persistence", "collection"],
    ends: "recovered",
    inject: onDisk((stage) => writeFileSync(catalogue(stage), "")),
  },
];

const PLACE: Fault[] = [
  {
    name: "the data directory is removed under the server",
    red: ["server-files"],
    ends: "recovered",
    inject: (stage) => {
      rmSync(stage.dataDirectory, { recursive: true });
      return Promise.resolve(undefined);
    },
  },
  {
    name: "a file is where the data directory belongs",
    red: ["process", "data-directory"],
    ends: "recovered",
    inject: async (stage) => {
      await stage.server.halt();
      rmSync(stage.dataDirectory, { recursive: true });
      writeFileSync(stage.dataDirectory, "in the way");
      return undefined;
    },
  },
  {
    name: "the disk is full",
    differs: true,
    red: ["disk-space"],
    ends: "refused",
    onSmallDisk: true,
    inject: (stage) => {
      const file = join(stage.root, "filler");
      const descriptor = openSync(file, "w");
      fill(descriptor, 1_000_000);
      fill(descriptor, 4_096);
      closeSync(descriptor);
      return Promise.resolve(() => rmSync(file));
    },
  },
];

function fill(descriptor: number, bytes: number): void {
  const block = Buffer.alloc(bytes, 1);
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

const OUTBOX: Fault[] = [
  {
    name: "the outbox's file is damaged",
    red: ["outbox"],
    ends: "healthy",
    inject: async (stage) => {
      await stage.close();
      for (const file of globSync(join(`${stage.dataDirectory}.holdfast`, "memory.db*"))) {
        if (file.endsWith("memory.db")) overwrite(file, 4_096 * 8, Buffer.alloc(4_096, 0xa5));
        else rmSync(file);
      }
      stage.open();
      return undefined;
    },
  },
];

/** What breaks a store on this machine, the commonest first. */
export const FAULTS: readonly Fault[] = [
  ...PROCESS.slice(0, 3),
  ...INDEX,
  ...SQLITE,
  ...PLACE,
  ...PROCESS.slice(3),
  ...OUTBOX,
];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
