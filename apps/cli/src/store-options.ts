import type { ChromaStoreOptions, ManagedEndpoint } from "@holdfast/chroma";
import type { Config, SecretReference } from "@holdfast/config";

export interface StoreAccess {
  readSecret: (reference: SecretReference) => string;
  /** Where the managed server answers; asked before the first call. */
  endpoint: () => Promise<ManagedEndpoint>;
}

/** Where the configuration says that the store is. */
export function storeOptions(config: Config, options: StoreAccess): ChromaStoreOptions {
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

/** Which embedder the configuration names. */
export function embedderOptions(
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
