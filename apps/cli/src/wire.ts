import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CircuitBreaker } from "@holdfast/breaker";
import type { ChromaStore } from "@holdfast/chroma";
import { type LoadedConfig, readSecret, type SecretReference } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { Embedder } from "@holdfast/embedder";
import type { Backups, Memory, MemoryDeps } from "@holdfast/memory";
import type { MetricsStore } from "@holdfast/metrics";
import type { VectorStore } from "@holdfast/store";
import { breakerOptions } from "./breaker-options.ts";
import type { Context } from "./context.ts";
import { memoryOptions } from "./memory-options.ts";
import { noEmbedder, noStore } from "./no-store.ts";
import type { Output } from "./output.ts";
import { redactorOf } from "./redaction.ts";
import { notManaged } from "./store-access.ts";
import { embedderOptions, type StoreAccess, storeOptions } from "./store-options.ts";
import { type Workspace, workspaceOf } from "./workspace.ts";

/** A workspace's parts, made from its configuration. Nothing is connected to or loaded yet. */
export interface Parts {
  workspace: Workspace;
  memory: Memory;
  store: VectorStore;
  embedder: Embedder;
  breaker: CircuitBreaker;
  metrics: MetricsStore;
  /** Where a managed server answers, once it does. */
  endpoint: StoreAccess["endpoint"];
  close(): Promise<void>;
}

export interface WireOptions extends StoreAccess {
  /** Apply queued writes in the background of this process. */
  background: boolean;
  /** Where policies tell what they did not, or found. Without it, no policy decides or acts. */
  output?: Pick<Output, "warn" | "note">;
}

/** Turns a configuration into implementations. The only place that does. */
export async function wire(workspace: Workspace, options: WireOptions): Promise<Parts> {
  const [{ createEmbedder }, { openMetrics, recordBreaker }, { measureMemory }] = await Promise.all(
    [import("@holdfast/embedder"), import("./metrics.ts"), import("./measured-memory.ts")],
  );
  const store = await openStore(workspace, options);
  const embedder = createEmbedder(embedderOptions(workspace.config, options));
  const { background } = options;
  const { memory, breaker, close } = await overStore(workspace, { store, embedder }, background);
  const metrics = openMetrics(workspace);
  recordBreaker(breaker, metrics);
  const measured = measureMemory(memory, metrics);
  const closeAll = async (): Promise<void> => {
    await close();
    metrics.close();
    await embedder.close();
  };
  const governed = await underPolicies(measured, workspace, options).catch(async (error) => {
    await closeAll();
    throw error;
  });
  return {
    workspace,
    memory: governed,
    store,
    embedder,
    breaker,
    metrics,
    endpoint: options.endpoint,
    close: async () => {
      await governed.close();
      await closeAll();
    },
  };
}

/** Without policies it costs the look for their folder. */
async function underPolicies(
  memory: Memory,
  workspace: Workspace,
  { output, readSecret: secretOf }: WireOptions,
): Promise<Memory> {
  const { enabled, directory } = workspace.config.policies;
  if (output === undefined || !enabled || !existsSync(directory)) return memory;
  const { governed } = await import("./policy/governance.ts");
  const deps = {
    readSecret: secretOf,
    warn: (message: string) => output.warn(message),
    note: (message: string) => output.note(message),
  };
  return (await governed(memory, workspace, deps)) ?? memory;
}

interface OverStore {
  memory: Memory;
  breaker: CircuitBreaker;
  close: () => Promise<void>;
}

/** A memory over these parts, redacted; nothing is connected to or loaded yet. */
export async function overStore(
  workspace: Workspace,
  { store, embedder }: { store: VectorStore; embedder: MemoryDeps["embedder"] },
  background: boolean,
): Promise<OverStore> {
  const [{ createMemory, redactedMemory }, redactor] = await Promise.all([
    import("@holdfast/memory/service"),
    redactorOf(workspace.config),
  ]);
  const { breaker, close } = await openBreaker(workspace);
  const options = memoryOptions(workspace, background);
  const memory = createMemory(options, { store, embedder, breaker });
  return {
    memory: redactedMemory(memory, redactor),
    breaker,
    close: async () => {
      await memory.close();
      await store.close();
      close();
    },
  };
}

/** The breaker that all processes of a workspace share. */
async function openBreaker(
  workspace: Workspace,
): Promise<{ breaker: CircuitBreaker; close: () => void }> {
  const { CircuitBreaker, SqliteBreakerStateStore } = await import("@holdfast/breaker");
  const states = new SqliteBreakerStateStore(join(workspace.stateDirectory, "breaker.db"));
  const breaker = new CircuitBreaker(breakerOptions(workspace.config), { store: states });
  return {
    breaker,
    close: () => {
      breaker.close();
      states.close();
    },
  };
}

/** Opens the breaker alone, for orders; what they change is recorded. */
export async function withBreaker<T>(
  context: Context,
  work: (breaker: CircuitBreaker) => T | Promise<T>,
): Promise<T> {
  const workspace = workspaceOf(context.config());
  const [{ breaker, close }, { openMetrics, recordBreaker }] = await Promise.all([
    openBreaker(workspace),
    import("./metrics.ts"),
  ]);
  const metrics = openMetrics(workspace);
  recordBreaker(breaker, metrics);
  try {
    return await work(breaker);
  } finally {
    close();
    metrics.close();
  }
}

/** The store alone, without breaker and outbox: for probes. */
export async function openStore(workspace: Workspace, access: StoreAccess): Promise<ChromaStore> {
  const chroma = await import("@holdfast/chroma");
  return new chroma.ChromaStore(storeOptions(workspace.config, access));
}

/** Opens the memory, starting the keeper when the store is needed, and closes it afterwards. */
export async function withMemory<T>(
  context: Context,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
): Promise<T> {
  return withMemoryOf(switchedOn(context), context, work);
}

/** {@link withMemory} past the policies: for looks, which a rule that is wrong must not prevent. */
export async function withUngovernedMemory<T>(
  context: Context,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
): Promise<T> {
  return withAccess(switchedOn(context), context, (workspace, access) =>
    use(workspace, work, access),
  );
}

function switchedOn(context: Context): LoadedConfig {
  const loaded = context.config();
  if (loaded.config.enabled) return loaded;
  throw new HoldfastError("Memory is switched off: the configuration says enabled: false", {
    code: "MEMORY_DISABLED",
    hint: "See what says so: holdfast config explain enabled",
  });
}

/** {@link withMemory} under another configuration than the one in force. */
export async function withMemoryOf<T>(
  loaded: LoadedConfig,
  context: Context,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
): Promise<T> {
  return withAccess(loaded, context, (workspace, access) =>
    use(workspace, work, { ...access, output: context.output }),
  );
}

/** The way to a configuration's store; a keeper that it needs is let go afterwards. */
async function withAccess<T>(
  loaded: LoadedConfig,
  context: Context,
  work: (workspace: Workspace, access: WireOptions) => Promise<T>,
): Promise<T> {
  const workspace = workspaceOf(loaded);
  const access = {
    readSecret: (reference: SecretReference) => readSecret(reference, context.environment),
    background: false,
  };
  const { dataDirectory } = workspace;
  if (dataDirectory === undefined) return work(workspace, { ...access, endpoint: notManaged });
  const { KeeperEndpoint } = await import("./keeper-endpoint.ts");
  const { file: configFile, again } = loaded;
  const keeper = new KeeperEndpoint({ configFile, again, dataDirectory }, context.output);
  try {
    return await work(workspace, { ...access, endpoint: () => keeper.endpoint() });
  } finally {
    await keeper.close();
  }
}

/** Opens what this machine keeps; the store is not called and nothing is started. */
export async function withMirror<T>(
  context: Context,
  work: (memory: Memory, workspace: Workspace) => T | Promise<T>,
): Promise<T> {
  const workspace = workspaceOf(context.config());
  const parts = { store: noStore, embedder: noEmbedder };
  const { memory, close } = await overStore(workspace, parts, false);
  try {
    return await work(memory, workspace);
  } finally {
    await close();
  }
}

/** Opens the backups of the memory in force; `collection` in the place of the configured one. */
export async function withBackups<T>(
  context: Context,
  work: (backups: Backups, parts: Parts) => T | Promise<T>,
  collection?: string,
): Promise<T> {
  const loaded = context.config();
  const named = collection === undefined ? loaded : withCollection(loaded, collection);
  // Not under policies: a rule that is wrong must not stand between anybody and a backup.
  return withAccess(named, context, (workspace, access) =>
    use(workspace, (_memory, parts) => withBackupsOver(parts, work), access),
  );
}

/** The backups of a memory that is open. */
export async function withBackupsOver<T>(
  parts: Parts,
  work: (backups: Backups, parts: Parts) => T | Promise<T>,
): Promise<T> {
  const [{ createBackups }, { measureBackups }] = await Promise.all([
    import("@holdfast/memory"),
    import("./backup/measured-backups.ts"),
  ]);
  const { workspace, store, embedder, breaker, metrics } = parts;
  const opened = createBackups(memoryOptions(workspace, false), { store, embedder, breaker });
  const backups = measureBackups(opened, metrics);
  try {
    return await work(backups, parts);
  } finally {
    await backups.close();
  }
}

function withCollection(loaded: LoadedConfig, name: string): LoadedConfig {
  const { config } = loaded;
  const { vector_store: store } = config;
  const renamed = { ...store, config: { ...store.config, collection_name: name } };
  return { ...loaded, config: { ...config, vector_store: renamed } };
}

/** The configured embedder alone; the caller closes it. */
export async function openEmbedder(context: Context): Promise<Embedder> {
  const { createEmbedder } = await import("@holdfast/embedder");
  const access = {
    readSecret: (reference: SecretReference) => readSecret(reference, context.environment),
    endpoint: notManaged,
  };
  return createEmbedder(embedderOptions(context.config().config, access));
}

/** The backups of what this machine keeps; the store is not called and nothing is started. */
export async function withBackupLog<T>(
  workspace: Workspace,
  work: (backups: Backups) => T | Promise<T>,
): Promise<T> {
  const [{ createBackups }, { measureBackups }, { openMetrics }, { breaker, close }] =
    await Promise.all([
      import("@holdfast/memory"),
      import("./backup/measured-backups.ts"),
      import("./metrics.ts"),
      openBreaker(workspace),
    ]);
  const parts = { store: noStore, embedder: noEmbedder, breaker };
  const metrics = openMetrics(workspace);
  const backups = measureBackups(createBackups(memoryOptions(workspace, false), parts), metrics);
  try {
    return await work(backups);
  } finally {
    await backups.close();
    metrics.close();
    close();
  }
}

async function use<T>(
  workspace: Workspace,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
  options: WireOptions,
): Promise<T> {
  const parts = await wire(workspace, options);
  try {
    return await work(parts.memory, parts);
  } finally {
    await parts.close();
  }
}
