import type { Context } from "../context.ts";
import { managedServerOptions } from "../managed-server-options.ts";
import { selfTest, type SelfTestReport } from "../recovery/self-test.ts";
import { targetOf } from "../recovery/store-recovery.ts";
import { storeAccess } from "../store-access.ts";
import type { Parts } from "../wire.ts";
import { recordSelfTest } from "./self-test-record.ts";

/** Tests the workspace's own parts, on scratch beside the memories, and keeps the result. */
export async function runSelfTest(
  { workspace, store, embedder, metrics }: Parts,
  { environment, signal }: Context,
): Promise<SelfTestReport> {
  const target = targetOf(workspace, storeAccess(workspace, environment));
  const server = managedServerOptions(workspace);
  const report = await selfTest({ store, embedder, target, server }, signal);
  recordSelfTest(metrics, report);
  return report;
}
