/** A Chroma that runs somewhere. */
export interface ServerOptions {
  mode: "server";
  /** Default `localhost`. */
  host?: string;
  /** Default 8000. */
  port?: number;
  /** Default false. */
  ssl?: boolean;
  headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer …`; for another scheme use `headers`. */
  token?: string;
  /** Default `default_tenant`. */
  tenant?: string;
  /** Default `default_database`. */
  database?: string;
}

/** Chroma Cloud. */
export interface CloudOptions {
  mode: "cloud";
  apiKey: string;
  /** Default: the one that the key belongs to. */
  tenant?: string;
  /** Default: the only one that the key may use. */
  database?: string;
  /** Default `api.trychroma.com`. */
  host?: string;
  /** Default 443. */
  port?: number;
}

export interface ManagedEndpoint {
  host: string;
  port: number;
  /** Changes with every start of the server. */
  incarnation: string;
}

/** A Chroma that runs on this machine for us, and may come back on another port. */
export interface ManagedOptions {
  mode: "managed";
  /** Asked before the first call, by `ping`, and again after a connection failed. */
  endpoint: () => Promise<ManagedEndpoint>;
  /** Default `default_tenant`. */
  tenant?: string;
  /** Default `default_database`. */
  database?: string;
}

export type ChromaStoreOptions = (ServerOptions | CloudOptions | ManagedOptions) & {
  /** Time limit of calls that name none, in milliseconds. Default 30,000. */
  timeoutMs?: number;
};

export const DEFAULT_TIMEOUT_MS = 30_000;
