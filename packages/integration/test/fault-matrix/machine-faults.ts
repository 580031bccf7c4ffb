import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, watch } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { findServer, ManagedServer, stateDirectoryOf } from "@holdfast/chroma";
import { readOnlyView, until } from "@holdfast/testkit";
import { RawChroma } from "../support/raw-chroma.ts";
import type { TestedBuild } from "../support/server-builds.ts";
import type { Fault } from "./faults.ts";
import type { Stage } from "./stage.ts";

/** A start tries this many ports; the next one after it finds its first port taken as well. */
const PORTS_TAKEN = 5;

/** What the machine, and other programs on it, do to a store. */
export function machineFaults(newer: TestedBuild | undefined): Fault[] {
  return [
    {
      name: "the data directory is mounted read-only",
      red: ["data-directory"],
      ends: "refused",
      mounts: true,
      inject: async (stage) => {
        await stage.server.halt();
        const view = readOnlyView(stage.dataDirectory);
        return () => view[Symbol.dispose]();
      },
    },
    {
      name: "every port that Chroma is given is taken before it has it",
      red: ["process"],
      ends: "recovered",
      inject: async (stage) => {
        await stage.server.halt();
        const taken = takePorts(stage);
        await stage.server.start().catch(() => undefined);
        return taken;
      },
    },
    {
      name: "another process keeps SQLite locked",
      red: ["one-server"],
      ends: "refused",
      inject: async (stage) => {
        const script = `
          const db = new (require("node:sqlite").DatabaseSync)(process.argv[1], { timeout: 5000 });
          db.exec("BEGIN EXCLUSIVE"); console.log(1); setInterval(() => 0, 1e6)`;
        const file = join(stage.dataDirectory, "chroma.sqlite3");
        const other = spawn(process.execPath, ["-e", script, file], {
          stdio: ["ignore", "pipe", "ignore"],
        });
        await once(other.stdout, "data");
        return () => killed(other);
      },
    },
    {
      name: "a second Chroma serves the directory, and writes",
      red: ["one-server"],
      ends: "refused",
      inject: async (stage) => {
        const second = await secondServer(stage);
        return () => killed(second);
      },
    },
    ...(newer === undefined ? [] : [downgrade(newer)]),
  ];
}

function downgrade(newer: TestedBuild): Fault {
  return {
    name: "a newer build has opened the directory, and an older one is to serve it",
    red: ["process"],
    ends: "failed",
    onlyOn: "older build",
    inject: async (stage) => {
      await stage.server.stop();
      const { command = [] } = newer;
      const upgraded = new ManagedServer({ dataDirectory: stage.dataDirectory, command });
      await upgraded.start();
      await upgraded.stop();
      await stage.server.start().catch(() => undefined);
      return () => stage.servedBy(newer);
    },
  };
}

/** Listens on each port that the server is about to be given, before it can. */
function takePorts(stage: Stage): () => void {
  const state = stateDirectoryOf(stage.dataDirectory);
  const servers = new Map<string, Server>();
  const watcher = watch(state, () => {
    const port = /^port: (\d+)$/m.exec(readFileSync(join(state, "chroma.yaml"), "utf8"))?.[1];
    if (port === undefined || servers.has(port) || servers.size === PORTS_TAKEN) return;
    const server = createServer((socket) => socket.destroy());
    server.on("error", () => undefined);
    servers.set(port, server.listen(Number(port), "127.0.0.1"));
  });
  return () => {
    watcher.close();
    for (const server of servers.values()) server.close();
  };
}

/** Chroma as a user would start it by hand, beside ours, with a record of its own. */
async function secondServer(stage: Stage): Promise<ChildProcess> {
  const { launch } = await findServer(
    stage.build.command === undefined ? {} : { command: stage.build.command },
  );
  const port = await freePort();
  const options = [
    "run",
    "--path",
    stage.dataDirectory,
    "--host",
    "127.0.0.1",
    "--port",
    `${port}`,
  ];
  const [program = "", ...args] =
    launch.kind === "command"
      ? [...launch.argv, ...options]
      : [
          process.execPath,
          "-e",
          `require(process.argv[1]).cli(["chroma", ...process.argv.slice(2)])`,
          launch.file,
          ...options,
        ];
  const second = spawn(program, args, { stdio: "ignore" });
  const raw = new RawChroma({ host: "127.0.0.1", port });
  const collection = await until("the second Chroma", () =>
    raw.create("theirs", { space: "l2", sync_threshold: 100 }).catch(() => undefined),
  );
  const vector = new Float32Array(16).fill(1);
  await raw.write("add", collection, [{ id: "theirs", text: "theirs", vector }]);
  return second;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function killed(other: ChildProcess): Promise<void> {
  if (other.exitCode !== null || other.signalCode !== null) return;
  const ended = once(other, "exit");
  other.kill("SIGKILL");
  await ended;
}
