import { HoldfastError } from "@holdfast/core";

/**
 * - `STORE_UNAVAILABLE`: refused, reset, DNS, 5xx, or a server that reports its own failure
 * - `STORE_TIMEOUT`: no answer within the limit
 * - `STORE_ABORTED`: the caller's signal ended the call
 * - `STORE_BUSY`: the server asks to slow down (429)
 * - `STORE_AUTH`: credentials are missing or refused
 * - `STORE_MISSING`: the tenant or database does not exist
 * - `STORE_REJECTED`: the request itself is wrong and would be refused again
 * - `COLLECTION_NOT_FOUND`, `COLLECTION_EXISTS`
 * - `EMBEDDER_MISMATCH`: the collection's vectors were made by another model
 */
export type StoreErrorCode =
  | "STORE_UNAVAILABLE"
  | "STORE_TIMEOUT"
  | "STORE_ABORTED"
  | "STORE_BUSY"
  | "STORE_AUTH"
  | "STORE_MISSING"
  | "STORE_REJECTED"
  | "COLLECTION_NOT_FOUND"
  | "COLLECTION_EXISTS"
  | "EMBEDDER_MISMATCH";

/**
 * What the failure says about trying again:
 * - `retryable`: the same call may succeed later by itself; it counts against the store's health
 * - `permanent`: it will fail until somebody changes the set-up (credentials, tenant, collection)
 * - `callers-fault`: this request is wrong; other requests are not affected
 */
export type Verdict = "retryable" | "permanent" | "callers-fault";

const VERDICTS: Readonly<Record<StoreErrorCode, Verdict>> = {
  STORE_UNAVAILABLE: "retryable",
  STORE_TIMEOUT: "retryable",
  STORE_BUSY: "retryable",
  STORE_ABORTED: "callers-fault",
  STORE_AUTH: "permanent",
  STORE_MISSING: "permanent",
  COLLECTION_NOT_FOUND: "permanent",
  EMBEDDER_MISMATCH: "permanent",
  COLLECTION_EXISTS: "callers-fault",
  STORE_REJECTED: "callers-fault",
};

export interface StoreErrorOptions {
  code: StoreErrorCode;
  /** Whether a write that failed so may have been, or may still be, applied. Default false. */
  outcomeUnknown?: boolean;
  /** The server's wish, in milliseconds. */
  retryAfterMs?: number;
  hint?: string;
  cause?: unknown;
}

export class StoreError extends HoldfastError {
  override name = "StoreError";
  declare readonly code: StoreErrorCode;
  readonly verdict: Verdict;
  readonly outcomeUnknown: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: StoreErrorOptions) {
    const verdict = VERDICTS[options.code];
    super(message, { ...options, retryable: verdict === "retryable" });
    this.verdict = verdict;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
