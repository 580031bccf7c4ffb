import { StoreError } from "@holdfast/store";
import type { ChromaClient } from "chromadb";
import type { ChromaStoreOptions, ManagedEndpoint } from "./client-options.ts";

/**
 * The HTTP client inside chromadb's ChromaClient: it knows address, headers and URL rules, and
 * takes a signal for each request, which the client's own methods do not.
 */
export interface HttpClient {
  request(options: {
    method: string;
    url: string;
    query?: Record<string, number>;
    body?: string;
    bodySerializer: null;
    fetch: (request: Request) => Promise<Response>;
  }): Promise<{ data?: unknown; error?: unknown; response: Response }>;
}

/** Where calls go now. */
export interface Connection {
  http: HttpClient;
  endpoint: ManagedEndpoint | undefined;
  /** `/api/v2/tenants/…/databases/…`; undefined until the cloud has said which. */
  place: string | undefined;
  /** What the server says of itself; undefined until asked. */
  preflight: Preflight | undefined;
}

export interface Preflight {
  batchRecordsMax: number;
  base64: boolean;
}

/** Opens nothing: the first request does. @throws StoreError. */
export async function connect(options: ChromaStoreOptions): Promise<Connection> {
  const endpoint = options.mode === "managed" ? await ask(options.endpoint) : undefined;
  // Loading the client takes 0.1 to 0.2 s: only who calls Chroma pays.
  const chroma = await import("chromadb");
  const fetchOptions: RequestInit = { redirect: "manual" };
  let client: ChromaClient;
  switch (options.mode) {
    case "cloud":
      client = new chroma.CloudClient({ ...definedOnly(options), fetchOptions });
      break;
    case "server":
      client = new chroma.ChromaClient({
        ...definedOnly(options),
        host: bracketed(options.host ?? "localhost"),
        headers: {
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
          ...options.headers,
        },
        fetchOptions,
      });
      break;
    case "managed":
      client = new chroma.ChromaClient({
        ...definedOnly(options),
        host: bracketed(endpoint?.host ?? "127.0.0.1"),
        ...(endpoint === undefined ? {} : { port: endpoint.port }),
        fetchOptions,
      });
      break;
  }
  return {
    http: httpClient(client),
    endpoint,
    place: placeOf(client.tenant, client.database),
    preflight: undefined,
  };
}

function placeOf(tenant: string | undefined, database: string | undefined): string | undefined {
  if (tenant === undefined || database === undefined) return undefined;
  return `/api/v2/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}`;
}

/** The place that a cloud key is for; undefined when it does not say one. */
export function placeFor(
  configured: { tenant?: string; database?: string },
  identity: { tenant?: string; databases?: readonly string[] },
): string | undefined {
  const [only, ...others] = new Set(identity.databases);
  const unique = only === "*" || others.length > 0 ? undefined : only;
  return placeOf(configured.tenant ?? identity.tenant, configured.database ?? unique);
}

async function ask(endpoint: () => Promise<ManagedEndpoint>): Promise<ManagedEndpoint> {
  try {
    return await endpoint();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("The managed Chroma is not running", {
      code: "STORE_UNAVAILABLE",
      hint: "See why with: holdfast server status",
      cause: error,
    });
  }
}

/** What chromadb's constructors know, without the keys that are set to undefined or ours alone. */
function definedOnly(options: ChromaStoreOptions): Record<string, string | number | boolean> {
  const known: readonly string[] = ["port", "ssl", "tenant", "database", "apiKey"];
  const named = options.mode === "cloud" ? [...known, "host"] : known;
  return Object.fromEntries(
    Object.entries(options).filter(([key, value]) => named.includes(key) && value !== undefined),
  );
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function httpClient(client: ChromaClient): HttpClient {
  const { apiClient } = client as unknown as { apiClient?: Partial<HttpClient> };
  if (typeof apiClient?.request === "function") return apiClient as HttpClient;
  throw new StoreError("This version of chromadb cannot carry a signal per request", {
    code: "STORE_REJECTED",
    hint: "Install chromadb 3.5.",
  });
}
