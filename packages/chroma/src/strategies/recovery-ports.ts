import type { Clock } from "@holdfast/core";
import type { CheckOutcome, Orchestrator } from "@holdfast/recovery";
import type { VectorStore } from "@holdfast/store";
import type { ConnectionTarget } from "../checks/connection-checks.ts";
import type { ProbeOptions } from "../checks/probe-checks.ts";
import type { ServerEndpoint } from "../server/server-record.ts";

/** Who may start and end the server of a data directory: `ManagedServer` does. */
export interface ServerControl {
  readonly dataDirectory: string;
  readonly running: ServerEndpoint | undefined;
  /** Idempotent while it runs. */
  start(signal?: AbortSignal): Promise<ServerEndpoint & { adopted: boolean }>;
  /** Ends the server that was started here. Idempotent. */
  halt(): Promise<void>;
  /** Takes the directory over and ends what a dead keeper left there: whether it did. Idempotent. */
  clear(): Promise<boolean>;
}

/** What a mirror can bring back, and compare with: `Memory` does. */
export interface MirrorPort {
  status(): {
    collection: string;
    mirrored: number;
    ledger: { stored: number; dead: number };
    outbox: { records: number };
    /** Records of other programs that the mirror holds, where it does. */
    others?: { held: number };
  };
  /** Those of `ids` that the mirror could not bring back. */
  unmirrored(ids: Iterable<string>): string[];
  rebuild(options: { signal?: AbortSignal }): Promise<{ rebuilt: number; compared: number }>;
  compare(options: { signal?: AbortSignal }): Promise<{
    compared: number;
    missing: readonly string[];
    different: readonly string[];
    equal: boolean;
  }>;
}

/** The last verified backup. */
export interface BackupPort {
  /** One line for the plan: which, of when, how many; undefined when there is none. */
  describe(): Promise<string | undefined>;
  /** Restores it and replays what was written since. Resolves with one line on what was done. */
  restore(signal: AbortSignal): Promise<string>;
}

export interface ChromaRecoveryDeps {
  store: VectorStore;
  memory: MirrorPort;
  /** Where the store should answer; throws when there is nowhere. */
  target: () => Promise<ConnectionTarget>;
  /** For a store that runs on a data directory of this machine under our care. */
  server?: ServerControl;
  /** For a server that somebody else runs, and that may be restarted so. */
  orchestrator?: Orchestrator;
  /** Creates the tenant and the database of a server that lacks them. */
  createPlace?: (signal: AbortSignal) => Promise<void>;
  /** What is wrong with the configuration in force. Default: nothing is. */
  configuration?: () => CheckOutcome;
  backup?: BackupPort;
  /** Collections that are ours to lose: canaries and what rebuilds leave. */
  isOwnCollection: (name: string) => boolean;
  clock?: Clock;
}

/** Whether the mirror could bring back what other programs wrote. */
export function holdsOthers(memory: MirrorPort): boolean {
  return (memory.status().others?.held ?? 0) > 0;
}

/** Longer than a health check's: what is planned from a probe, or proved by it, is done. */
const PROBE_LIMIT_MS = 15_000;

/** What a store that keeps this memory is asked. */
export function probeOptionsOf(memory: MirrorPort): ProbeOptions {
  return {
    collection: memory.status().collection,
    recordsMin: () => storedAtLeast(memory),
    isMissed: () => holdsOthers(memory),
    timeoutMs: PROBE_LIMIT_MS,
  };
}

/** Memories that the store must hold at least: those that neither wait nor were refused. */
export function storedAtLeast(memory: MirrorPort): number {
  const { mirrored, ledger, outbox } = memory.status();
  return ledger.stored === 0 ? 0 : Math.max(0, mirrored - outbox.records - ledger.dead);
}
