import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Clock } from "@holdfast/core";
import { processStartOf } from "./process-table.ts";
import { openServerLog, rotateServerLog } from "./server-log.ts";
import { childEnvironment, commandLine, type ServerProgram } from "./server-program.ts";
import type { ServerRecord } from "./server-record.ts";
import type { StatePaths } from "./state-directory.ts";
import { stopSignalsOf } from "./terminate.ts";

/** Chroma's server has neither authentication nor TLS: nobody else may reach it. */
const LOOPBACK = "127.0.0.1";

export interface LaunchOptions {
  allowReset: boolean;
  /** How long the server outlives a keeper that died without a successor, in milliseconds. */
  orphanMs: number;
}

/** Starts the server process. It may exit at once: watch `child`. @throws errno errors. */
export async function launchServer(
  program: ServerProgram,
  paths: StatePaths,
  options: LaunchOptions,
  clock: Clock,
): Promise<{ child: ChildProcess; record: ServerRecord }> {
  const port = await freePort();
  writeFileSync(paths.serverConfig, serverConfig(paths, port, options), { mode: 0o600 });
  rotateServerLog(paths.serverLog);
  const [command, ...args] = commandLine(program.launch, ["run", paths.serverConfig], {
    stateDirectory: paths.stateDirectory,
    stopSignal: stopSignalsOf(program.build.version)[0] ?? "SIGTERM",
    orphanMs: options.orphanMs,
    keeperPid: process.pid,
  });
  const log = openServerLog(paths.serverLog);
  try {
    const child = spawn(command, args, {
      cwd: paths.stateDirectory,
      // A session of its own: Ctrl-C in the terminal is not meant for it. Its output goes to the
      // file, not through us: a server must survive its keeper.
      detached: true,
      stdio: ["ignore", log, log],
      env: childEnvironment(),
    });
    await spawned(child);
    child.unref();
    const pid = child.pid as number;
    const record = {
      pid,
      // Empty when it is gone already: no process matches that.
      processStart: processStartOf(pid) ?? "",
      host: LOOPBACK,
      port,
      build: program.build,
      incarnation: randomUUID(),
      startedAt: clock.now(),
      startedUpMs: Math.round(clock.monotonic()),
      ready: false,
    };
    return { child, record };
  } finally {
    closeSync(log);
  }
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
}

/** JSON strings are YAML strings. */
function serverConfig(paths: StatePaths, port: number, options: LaunchOptions): string {
  return [
    `port: ${port}`,
    `listen_address: ${JSON.stringify(LOOPBACK)}`,
    `persist_path: ${JSON.stringify(paths.dataDirectory)}`,
    `allow_reset: ${options.allowReset}`,
    "",
  ].join("\n");
}

/** Whether nobody listens there now. @throws errno errors other than EADDRINUSE. */
export function isFree({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Free a moment ago; who takes it meanwhile makes the server exit, and another is tried. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
