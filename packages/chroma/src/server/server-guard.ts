/**
 * The worker beside a running server: it holds `server.lock` for as long as the process lives, in
 * whatever way it ends, and ends a server whose keeper is gone and has no successor.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { KernelLock } from "@holdfast/sqlite";

export interface GuardData {
  serverLock: string;
  keeperLock: string;
  /** What makes this build exit. */
  stopSignal: NodeJS.Signals;
  /** How long the server may live without anybody who manages it, in milliseconds. */
  orphanMs: number;
  /** The process that started the server. */
  keeperPid: number;
}

export type GuardMessage = "held" | "refused";

const CHECK_MS = 2_000;
const KILL_AFTER_MS = 5_000;

const { serverLock, keeperLock, stopSignal, orphanMs, keeperPid } = workerData as GuardData;
const lock = KernelLock.tryAcquire(serverLock, 1_000);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
parentPort?.postMessage((lock === undefined ? "refused" : "held") satisfies GuardMessage);

if (lock !== undefined) {
  await orphaned();
  process.kill(process.pid, stopSignal);
  await sleep(KILL_AFTER_MS);
  process.kill(process.pid, "SIGKILL");
}

async function orphaned(): Promise<void> {
  let alone = 0;
  while (alone < orphanMs) {
    await sleep(Math.min(CHECK_MS, orphanMs));
    // Whoever adopts the server holds the keeper's lock. It is asked for only when the process
    // that started the server is gone: asking takes it for a moment.
    const managed = process.ppid === keeperPid || KernelLock.isHeld(keeperLock);
    alone = managed ? 0 : alone + CHECK_MS;
  }
}
