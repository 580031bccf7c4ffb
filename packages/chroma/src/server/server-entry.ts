/**
 * The program of a server process whose build comes as Node bindings:
 * `node server-entry BINDING STATE_DIRECTORY SIGNAL ORPHAN_MS KEEPER_PID ARGUMENT…`. With an
 * empty STATE_DIRECTORY it only runs the arguments, to ask a build for its version.
 *
 * The server blocks this thread in native code for as long as it lives, so a worker holds the
 * lock that shows it to everybody who can see the directory (see server-guard.ts).
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { GuardData, GuardMessage } from "./server-guard.ts";

/** The directory is served by somebody else (EX_TEMPFAIL). */
const EXIT_LOCKED = 75;

const [binding, stateDirectory, stopSignal, orphanMs, keeperPid, ...serverArguments] =
  process.argv.slice(2);
if (binding === undefined || stateDirectory === undefined) {
  throw new Error(
    "usage: server-entry BINDING STATE_DIRECTORY SIGNAL ORPHAN_MS KEEPER_PID ARGUMENT…",
  );
}

if (stateDirectory !== "") {
  const held = await startGuard({
    serverLock: join(stateDirectory, "server.lock"),
    keeperLock: join(stateDirectory, "keeper.lock"),
    stopSignal: stopSignal as NodeJS.Signals,
    orphanMs: Number(orphanMs),
    keeperPid: Number(keeperPid),
  });
  if (!held) {
    process.stderr.write("Another server process holds this data directory\n");
    process.exit(EXIT_LOCKED);
  }
}

// Builds after 1.0 shut down on SIGINT only when Node has a listener for it, as Chroma's own CLI has.
process.once("SIGINT", () => process.exit(0));

const server = createRequire(import.meta.url)(binding) as { cli(argv: readonly string[]): void };
server.cli(["chroma", ...serverArguments]);
// What comes back at all has ended; the guard must not keep the process.
process.exit();

function startGuard(workerData: GuardData): Promise<boolean> {
  const file = import.meta.url.endsWith(".ts") ? "./server-guard.ts" : "./server-guard.js";
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(file, import.meta.url), { workerData });
    worker.once("error", reject);
    worker.once("message", (message: GuardMessage) => resolve(message === "held"));
  });
}
