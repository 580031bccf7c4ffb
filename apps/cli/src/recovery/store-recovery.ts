import {
  type ChromaRecoveryDeps,
  CANARY_COLLECTION,
  chromaProof,
  chromaStrategies,
  ManagedServer,
  type ManagedServerOptions,
} from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import {
  type CheckContext,
  type CheckOutcome,
  RecoveryEngine,
  type RecoveryEvent,
  RecoveryJournal,
} from "@holdfast/recovery";
import type { Context } from "../context.ts";
import { STORE_SERVICE } from "../keeper/keeper.ts";
import { KeeperMetrics } from "../keeper/keeper-metrics.ts";
import { managedServerOptions } from "../managed-server-options.ts";
import { backupPort } from "./backup-port.ts";
import { storeAccess } from "../store-access.ts";
import type { StoreAccess } from "../store-options.ts";
import { openStore, type Parts, wire } from "../wire.ts";
import { recoveryFileOf, type Workspace, workspaceOf } from "../workspace.ts";

const COMPARE_LIMIT_MS = 30 * 60_000;

/** Everything that `memory recover` needs of one workspace. */
export interface StoreRecovery {
  engine: RecoveryEngine;
  /** What the engine believes: the store does its work, and holds what the mirror holds. */
  prove: (context: CheckContext) => Promise<CheckOutcome>;
  parts: Parts;
  metrics: KeeperMetrics;
  deps: ChromaRecoveryDeps;
  /** Undefined when Chroma runs elsewhere. */
  server: ManagedServer | undefined;
  /** How such a server is run; undefined as well then. */
  scratch: ManagedServerOptions | undefined;
}

/** Opens the recovery of the store in force, and closes it afterwards. Starts and stops nothing. */
export async function withRecovery<T>(
  context: Context,
  onEvent: (event: RecoveryEvent) => void,
  work: (recovery: StoreRecovery) => Promise<T>,
): Promise<T> {
  const workspace = workspaceOf(context.config());
  const access = storeAccess(workspace, context.environment);
  const options = managedServerOptions(workspace);
  const server = options && new ManagedServer(options);
  const parts = await wire(workspace, { ...access, background: false });
  const store = await openStore(workspace, access);
  using journal = RecoveryJournal.open(recoveryFileOf(workspace));
  const deps: ChromaRecoveryDeps = {
    store,
    memory: parts.memory,
    ...repairPorts(parts, access),
    ...(server === undefined ? {} : { server }),
  };
  const prove = chromaProof(deps, { compare: true });
  const engine = new RecoveryEngine(
    { service: STORE_SERVICE, proofTimeoutMs: COMPARE_LIMIT_MS },
    {
      journal,
      strategies: chromaStrategies(deps),
      prove,
      onEvent,
    },
  );
  const metrics = new KeeperMetrics(parts.metrics, systemClock);
  try {
    return await work({ engine, prove, parts, metrics, deps, server, scratch: options });
  } finally {
    await store.close();
    await parts.close();
  }
}

/** What repairs may use besides store and memory, whoever makes them. */
export type RepairPorts = Pick<
  ChromaRecoveryDeps,
  "target" | "isOwnCollection" | "backup" | "createPlace"
>;

export function repairPorts(parts: Parts, access: StoreAccess): RepairPorts {
  const { workspace } = parts;
  const createPlace = async (signal: AbortSignal): Promise<void> => {
    const store = await openStore(workspace, access);
    try {
      await store.createPlace({ signal });
    } finally {
      await store.close();
    }
  };
  return {
    target: targetOf(workspace, access),
    isOwnCollection: ownCollections(workspace),
    backup: backupPort(parts),
    // A managed server has its place; a cloud's is not ours to create.
    ...(workspace.config.vector_store.config.mode === "server" ? { createPlace } : {}),
  };
}

/** What a rebuild from the mirror may leave behind: we made it, from the mirror or for a moment. */
function ownCollections({ config }: Workspace): (name: string) => boolean {
  const own = config.vector_store.config.collection_name;
  return (name) => name === CANARY_COLLECTION || name.startsWith(`${own}--`);
}

export function targetOf(
  { config, dataDirectory }: Workspace,
  access: StoreAccess,
): ChromaRecoveryDeps["target"] {
  const {
    host = "api.trychroma.com",
    mode,
    port,
    ssl = mode === "cloud",
  } = config.vector_store.config;
  return async () => {
    if (dataDirectory !== undefined) return { ...(await access.endpoint()), ssl: false };
    return { host, ssl, port: port ?? (ssl ? 443 : 8000) };
  };
}
