import type { ManagedServer } from "@holdfast/chroma";
import type { DrainReport } from "@holdfast/memory";
import type { RecoveryEvent, RecoveryReport } from "@holdfast/recovery";
import type { Context } from "../context.ts";
import { recordSelfTest } from "../health/self-test-record.ts";
import { closeHalfOpen } from "../keeper/circuits.ts";
import { pinKeeper, stopKeeper } from "../keeper/control-keeper.ts";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { ensureKeeper } from "../keeper/ensure-keeper.ts";
import { type SelfTestReport, selfTest } from "./self-test.ts";
import { type StoreRecovery, withRecovery } from "./store-recovery.ts";

export interface RecoverStoreOptions {
  force: boolean;
  testAfter: boolean;
  signal: AbortSignal;
  onEvent: (event: RecoveryEvent) => void;
}

export interface RecoveredStore {
  report: RecoveryReport;
  /** What was brought into the store afterwards; undefined when it was not recovered. */
  drained: DrainReport | undefined;
  selfTest: SelfTestReport | undefined;
}

const TRIGGER = "memory recover";

/**
 * Repairs the store in force: takes a managed server over from its keeper, which would do the same
 * at the same time, runs the engine, tells the breaker, drains the outbox, and gives the server
 * back to a keeper, pinned if it was. A store that is healthy is left alone, unless `force`.
 * @throws what `RecoveryEngine.recover` and `stopKeeper` throw.
 */
export function recoverStore(
  context: Context,
  options: RecoverStoreOptions,
): Promise<RecoveredStore> {
  return withRecovery(context, options.onEvent, async (recovery) => {
    const { server } = recovery;
    const isPinned = server !== undefined && keeperStatus(server.dataDirectory)?.pinned === true;
    try {
      const report = await run(recovery, options);
      const isBack = report.outcome === "recovered" || report.outcome === "healthy";
      if (!isBack) return { report, drained: undefined, selfTest: undefined };
      const drained = await resume(recovery, options.signal);
      const tested = options.testAfter ? await test(recovery, options.signal) : undefined;
      if (server?.running !== undefined) {
        await giveToKeeper(context, server, options.signal);
        if (isPinned) pinKeeper(server.dataDirectory, true);
      }
      return { report, drained, selfTest: tested };
    } finally {
      await server?.stop();
    }
  });
}

async function run(
  { engine, metrics, prove, server }: StoreRecovery,
  { force, signal }: RecoverStoreOptions,
): Promise<RecoveryReport> {
  // Before the keeper and its server end: what is shown is what was found, and what is run.
  const forced = force ? await engine.plan({ signal, force }) : undefined;
  const isFound = force || engine.unfinished() !== undefined || !(await isWell());
  if (isFound && server !== undefined && keeperStatus(server.dataDirectory)?.running === true) {
    await stopKeeper(server.dataDirectory);
  }
  return metrics.recovery(
    "recover",
    () => engine.recover({ trigger: TRIGGER, signal, ...(forced === undefined ? {} : { forced }) }),
    ({ outcome }) => (outcome === "healthy" ? undefined : outcome === "recovered"),
  );

  async function isWell(): Promise<boolean> {
    if (!(await engine.plan({ signal })).healthy) return false;
    try {
      return (await prove({ signal })).status === "pass";
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}

/** What was proved to work need not wait out the breaker's time. */
async function resume(
  { parts: { breaker, memory, store } }: StoreRecovery,
  signal: AbortSignal,
): Promise<DrainReport> {
  if (await breaker.probeNow("canary")) await closeHalfOpen(breaker, memory, store, signal);
  return memory.drain({ signal });
}

async function test(
  { parts, deps, scratch }: StoreRecovery,
  signal: AbortSignal,
): Promise<SelfTestReport> {
  const { store, target } = deps;
  const { embedder, metrics } = parts;
  const report = await selfTest({ store, target, embedder, server: scratch }, signal);
  recordSelfTest(metrics, report);
  return report;
}

async function giveToKeeper(
  context: Context,
  server: ManagedServer,
  signal: AbortSignal,
): Promise<void> {
  server.release();
  const { dataDirectory } = server;
  const { file: configFile, again } = context.config();
  const use = await ensureKeeper({ configFile, again, dataDirectory, signal });
  use.release();
}
