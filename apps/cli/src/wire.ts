import { join } from "node:path";
import type { CircuitBreaker, SqliteBreakerStateStore } from "@holdfast/breaker";
import { ChromaStore, type ChromaStoreOptions, type ManagedEndpoint } from "@holdfast/chroma";
import { type Config, readSecret, type SecretReference } from "@holdfast/config";
import { durationMs, HoldfastError } from "@holdfast/core";
import { type Embedder } from "@holdfast/embedder";
import type { Memory, MemoryOptions } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";
import type { Context } from "./context.ts";
import { type Workspace, workspaceOf } from "./workspace.ts";

/** A workspace's parts, made from its configuration. Nothing is connected to or loaded yet. */
export interface Parts {
  workspace: Workspace;
  memory: Memory;
  store: VectorStore;
  embedder: Embedder;
  breaker: CircuitBreaker;
  close(): Promise<void>;
}

export interface StoreAccess {
  readSecret: (reference: SecretReference) => string;
  /** Where the managed server answers; asked before the first call. */
  endpoint: () => Promise<ManagedEndpoint>;
}

export interface WireOptions extends StoreAccess {
  /** Apply queued writes in the background of this process. */
  background: boolean;
}

/** Turns a configuration into implementations. The only place that does. */
export async function wire(workspace: Workspace, options: WireOptions): Promise<Parts> {
  const [memory, breakers, embedders] = await Promise.all([
    import("@holdfast/memory"),
    import("@holdfast/breaker"),
    import("@holdfast/embedder"),
  ]);
  const { config, stateDirectory } = workspace;
  const store = openStore(workspace, options);
  const embedder = embedders.createEmbedder(embedderOptions(config, options));
  const states = new breakers.SqliteBreakerStateStore(join(stateDirectory, "breaker.db"));
  const breaker = new breakers.CircuitBreaker(breakerOptions(config), { store: states });
  const open = memory.createMemory(memoryOptions(workspace, options.background), {
    store,
    embedder,
    breaker,
  });
  const close = (): Promise<void> => closeAll(open, store, embedder, breaker, states);
  return { workspace, memory: open, store, embedder, breaker, close };
}

/** The store alone, without breaker and outbox: for probes. */
export function openStore({ config }: Workspace, access: StoreAccess): VectorStore {
  return new ChromaStore(storeOptions(config, access));
}

/** Opens the memory, starting the keeper when the store is needed, and closes it afterwards. */
export async function withMemory<T>(
  context: Context,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
): Promise<T> {
  const loaded = context.config();
  const workspace = workspaceOf(loaded);
  const access = (endpoint: StoreAccess["endpoint"]): WireOptions => ({
    readSecret: (reference) => readSecret(reference, context.environment),
    endpoint,
    background: false,
  });
  const { dataDirectory } = workspace;
  if (dataDirectory === undefined) return use(workspace, work, access(notManaged));
  const { KeeperEndpoint } = await import("./keeper-endpoint.ts");
  const keeper = new KeeperEndpoint({ configFile: loaded.file, dataDirectory }, context.output);
  try {
    return await use(
      workspace,
      work,
      access(() => keeper.endpoint()),
    );
  } finally {
    await keeper.close();
  }
}

const notManaged = (): Promise<never> =>
  Promise.reject(new TypeError("Only a managed store has an endpoint"));

/** Opens what this machine keeps; the store is not called and nothing is started. */
export async function withMirror<T>(
  context: Context,
  work: (memory: Memory, parts: Parts) => T | Promise<T>,
): Promise<T> {
  return use(workspaceOf(context.config()), work, {
    readSecret: () => "",
    endpoint: () => Promise.reject(new TypeError("This command must not call the store")),
    background: false,
  });
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

async function closeAll(
  memory: Memory,
  store: VectorStore,
  embedder: Embedder,
  breaker: CircuitBreaker,
  states: SqliteBreakerStateStore,
): Promise<void> {
  await memory.close();
  await Promise.all([store.close(), embedder.close()]);
  breaker.close();
  states.close();
}

function storeOptions(config: Config, options: StoreAccess): ChromaStoreOptions {
  const store = config.vector_store.config;
  const { tenant, database, host } = store;
  const place = {
    ...(tenant === undefined ? {} : { tenant }),
    ...(database === undefined ? {} : { database }),
  };
  if (store.mode === "managed") return { mode: "managed", endpoint: options.endpoint, ...place };
  const token = store.token === undefined ? undefined : options.readSecret(store.token);
  if (store.mode === "cloud")
    return {
      mode: "cloud",
      apiKey: token ?? "",
      ...place,
      ...(host === undefined ? {} : { host }),
      ...(store.port === undefined ? {} : { port: store.port }),
    };
  const ssl = store.ssl ?? false;
  return {
    mode: "server",
    ...place,
    ...(host === undefined ? {} : { host }),
    ssl,
    port: store.port ?? (ssl ? 443 : 8000),
    headers: plainValues(store.headers ?? {}, options) as Record<string, string>,
    ...(token === undefined ? {} : { token }),
  };
}

function embedderOptions(
  config: Config,
  access: StoreAccess,
): { provider: string; model?: string; options?: Record<string, unknown> } {
  const { provider, model, options } = config.embedder;
  return {
    provider,
    ...(model === undefined ? {} : { model }),
    ...(options === undefined ? {} : { options: plainValues(options, access) }),
  };
}

/** Secrets are read here, where they are about to be used. */
function plainValues<T>(
  values: Readonly<Record<string, T | SecretReference>>,
  access: StoreAccess,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "object" ? access.readSecret(value as SecretReference) : value,
    ]),
  );
}

/** Only what the store may get over by itself says something about its health. */
function breakerOptions(config: Config): ConstructorParameters<typeof CircuitBreaker>[0] {
  const breaker = config.circuit_breaker;
  return {
    name: "store",
    enabled: breaker.enabled,
    failureThreshold: breaker.failure_threshold,
    recoveryTimeoutMs: durationMs(breaker.recovery_timeout),
    successThreshold: breaker.success_threshold,
    timeoutMs: durationMs(breaker.timeout),
    classify: (error) =>
      error instanceof HoldfastError && !error.retryable ? "ignored" : "failure",
  };
}

function memoryOptions(workspace: Workspace, background: boolean): MemoryOptions {
  const { config, stateDirectory } = workspace;
  const limitMs = durationMs(config.circuit_breaker.timeout);
  return {
    stateDirectory,
    collection: config.vector_store.config.collection_name,
    outbox: {
      recordsMax: config.outbox.records_max,
      bytesMax: config.outbox.bytes_max,
      keptRecordsMax: config.outbox.kept_records_max,
      keptBytesMax: config.outbox.kept_bytes_max,
    },
    limits: { readMs: Math.min(10_000, limitMs), writeMs: limitMs },
    waitMs: durationMs(config.outbox.wait),
    background,
  };
}
