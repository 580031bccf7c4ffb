import {
  type CheckContext,
  type CheckOutcome,
  type HealthCheck,
  runChecks,
} from "@holdfast/recovery";
import { compareTwice } from "../checks/compare-twice.ts";
import { probeChecks } from "../checks/probe-checks.ts";
import { processChecks } from "../checks/process-checks.ts";
import { type ChromaRecoveryDeps, probeOptionsOf, storedAtLeast } from "./recovery-ports.ts";

const LOOK = "See what would be done with: holdfast memory recover --dry-run";

export interface ProofOptions {
  /** Compare every memory with the mirror as well, a time that grows with them. Default false. */
  compare?: boolean;
}

/**
 * Proves that a store does its work: it shows vectors, answers a filtered query, holds what it
 * should, and brings a canary back. For `RecoveryEngine`.
 */
export function chromaProof(
  { store, memory, server }: Pick<ChromaRecoveryDeps, "store" | "memory" | "server">,
  options: ProofOptions = {},
): (context: CheckContext) => Promise<CheckOutcome> {
  return async ({ signal }) => {
    const { mirrored } = memory.status();
    const checks = [
      ...probeChecks(store, probeOptionsOf(memory)),
      // What works now does not for long with two servers, or on files that are gone.
      ...(server === undefined ? [] : processChecks(server.dataDirectory).filter(isLasting)),
    ];
    const results = await runChecks(checks, { signal });
    const failed = results.find(({ status }) => status !== "pass");
    if (failed !== undefined) {
      const { status, message, hint = LOOK, evidence } = failed;
      return {
        status,
        message: `${failed.check}: ${message}`,
        hint,
        ...(evidence === undefined ? {} : { evidence }),
      };
    }
    if (options.compare !== true || mirrored === 0 || storedAtLeast(memory) === 0) {
      return { status: "pass", message: "a canary, a read with vectors and a query succeeded" };
    }
    const { compared, missing, different, equal } = await compareTwice(memory, signal);
    const evidence = { compared, missing: missing.length, different: different.length };
    if (equal) {
      const message = `the canary came back, and all ${compared} memories equal the mirror's`;
      return { status: "pass", message, evidence };
    }
    return {
      status: "fail",
      message: `of ${compared} memories ${missing.length} are missing and ${different.length} differ`,
      evidence,
      hint: LOOK,
    };
  };
}

function isLasting({ name }: HealthCheck): boolean {
  return name === "one-server" || name === "server-files";
}
