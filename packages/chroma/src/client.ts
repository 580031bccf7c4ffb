import type { Clock } from "@holdfast/core";
import { type CallOptions, StoreError } from "@holdfast/store";
import { type Connection, connect, placeFor, type Preflight } from "./client-connection.ts";
import { type ChromaStoreOptions, DEFAULT_TIMEOUT_MS } from "./client-options.ts";
import {
  assertAnswer,
  ChromaAnswer,
  neverSent,
  translateAnswer,
  translateFailure,
} from "./error-translation.ts";

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the tenant's database, or from the root when it begins with `/api/`. */
  path: string;
  query?: Record<string, number>;
  body?: string;
  /** Whether it changes something. Default false. */
  write?: boolean;
}

/** One call of the port while it runs: several requests under one signal and one time limit. */
export interface Call {
  readonly operation: string;
  /** The answer's JSON. @throws StoreError. */
  request(request: Request): Promise<unknown>;
  preflight(): Promise<Preflight>;
}

/** Why a call ended before its answer; the reason of its signal. */
interface Ending {
  code: "STORE_ABORTED" | "STORE_TIMEOUT";
  message: string;
  cause?: unknown;
}

/** What has happened to a call's writes so far. */
interface Progress {
  /** A write was handed to fetch and has not been refused. */
  written: boolean;
}

const CLOSED: Ending = { code: "STORE_ABORTED", message: "the store is closed" };

/** Sends requests to Chroma, each under its call's signal and time limit, and translates failures. */
export class Client {
  readonly #options: ChromaStoreOptions;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #connecting: Promise<Connection> | undefined;
  #connected: Connection | undefined;

  constructor(options: ChromaStoreOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The connection in use, if any. */
  get connection(): Connection | undefined {
    return this.#connected;
  }

  close(): void {
    this.#closed.abort(CLOSED);
  }

  /** The next request asks a managed server's endpoint again. */
  forget(): void {
    if (this.#options.mode === "managed") this.#connecting = undefined;
  }

  /**
   * Runs one call of the port. Ends it the moment its signal aborts, its time is up or the client
   * is closed; its requests end with it, and their sockets.
   */
  async run<T>(
    operation: string,
    options: CallOptions | undefined,
    work: (call: Call) => Promise<T>,
  ): Promise<T> {
    const progress: Progress = { written: false };
    const ended = new AbortController();
    const settled = new AbortController();
    const end = (ending: Ending): void => ended.abort(ending);
    this.#endWhen(options, end, settled.signal);
    try {
      ended.signal.throwIfAborted();
      const call: Call = {
        operation,
        request: (request) => this.#request(operation, request, progress, ended.signal),
        preflight: () => this.#preflight(operation, ended.signal),
      };
      return await Promise.race([rejection(ended.signal), work(call)]);
    } catch (error) {
      if (ended.signal.aborted) throw this.#endedError(operation, ended.signal, progress);
      const translated = translateFailure({ operation, write: progress.written }, error);
      throw progress.written ? withUnknownOutcome(translated) : translated;
    } finally {
      settled.abort(SETTLED);
    }
  }

  #endWhen(
    options: CallOptions | undefined,
    end: (ending: Ending) => void,
    settled: AbortSignal,
  ): void {
    const signal = options?.signal;
    const onAbort = (): void => {
      end({ code: "STORE_ABORTED", message: "the call was aborted", cause: signal?.reason });
    };
    if (signal?.aborted) {
      onAbort();
      return;
    }
    const onClose = (): void => end(CLOSED);
    if (this.#closed.signal.aborted) {
      onClose();
      return;
    }
    signal?.addEventListener("abort", onAbort, { signal: settled });
    this.#closed.signal.addEventListener("abort", onClose, { signal: settled });
    const timeoutMs = options?.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    void this.#clock.sleep(timeoutMs, settled).then(
      () => end({ code: "STORE_TIMEOUT", message: `no answer within ${timeoutMs} ms` }),
      // The call settled first.
      () => undefined,
    );
  }

  #endedError(operation: string, signal: AbortSignal, progress: Progress): StoreError {
    const { code, message, cause } = signal.reason as Ending;
    // A server that hangs may be replaced by one elsewhere.
    if (code === "STORE_TIMEOUT") this.forget();
    return new StoreError(`${operation}: ${message}`, {
      code,
      outcomeUnknown: progress.written,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  async #request(
    operation: string,
    request: Request,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<unknown> {
    const connection = await this.#connect();
    try {
      return await this.#send(connection, operation, request, progress, signal);
    } catch (error) {
      if (signal.aborted || this.#options.mode !== "managed") throw error;
      if (!(error instanceof StoreError) || error.code !== "STORE_UNAVAILABLE") throw error;
      if (error.cause instanceof ChromaAnswer) throw error;
      if (this.#connected === connection) this.forget();
      if (!neverSent(error.cause)) throw error;
      const next = await this.#connect();
      if (sameEndpoint(connection, next)) throw error;
      return await this.#send(next, operation, request, progress, signal);
    }
  }

  async #send(
    connection: Connection,
    operation: string,
    request: Request,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<unknown> {
    const write = request.write ?? false;
    const place = request.path.startsWith("/api/")
      ? ""
      : (connection.place ??= await this.#place(connection, operation, signal));
    signal.throwIfAborted();
    const writtenBefore = progress.written;
    progress.written ||= write;
    let answer;
    try {
      answer = await connection.http.request({
        method: request.method,
        url: place + request.path,
        ...(request.query === undefined ? {} : { query: request.query }),
        ...(request.body === undefined ? {} : { body: request.body }),
        bodySerializer: null,
        fetch: (input) => globalThis.fetch(input, { signal }),
      });
    } catch (error) {
      const failure = translateFailure({ operation, write }, error);
      if (!failure.outcomeUnknown && !signal.aborted) progress.written = writtenBefore;
      throw failure;
    }
    if (answer.response.ok) {
      assertAnswer(operation, isChromas(answer), answer.data, write);
      return answer.data;
    }
    const failure = translateAnswer(
      { operation, write },
      new ChromaAnswer(answer.response.status, answer.error),
      answer.response.headers.get("retry-after"),
      this.#clock.now(),
    );
    if (!failure.outcomeUnknown) progress.written = writtenBefore;
    throw failure;
  }

  /** The cloud's answer to which tenant and database a key is for. */
  async #place(connection: Connection, operation: string, signal: AbortSignal): Promise<string> {
    const identity = (await this.#send(
      connection,
      operation,
      { method: "GET", path: "/api/v2/auth/identity" },
      { written: false },
      signal,
    )) as { tenant?: string; databases?: string[] };
    const place = placeFor(this.#options, identity);
    if (place !== undefined) return place;
    const databases = identity.databases ?? [];
    throw new StoreError("The API key does not say which database to use", {
      code: "STORE_MISSING",
      hint: `Configure the database${databases.length > 0 ? `: ${databases.join(", ")}` : ""}.`,
    });
  }

  async #preflight(operation: string, signal: AbortSignal): Promise<Preflight> {
    const known = this.#connected?.preflight;
    if (known !== undefined) return known;
    const path = "/api/v2/pre-flight-checks";
    const answer = await this.#request(
      operation,
      { method: "GET", path },
      { written: false },
      signal,
    );
    const said = answer as { max_batch_size?: number; supports_base64_encoding?: boolean };
    const preflight: Preflight = {
      batchRecordsMax: said.max_batch_size ?? DEFAULT_BATCH_RECORDS_MAX,
      base64: said.supports_base64_encoding ?? false,
    };
    if (this.#connected !== undefined) this.#connected.preflight = preflight;
    return preflight;
  }

  async #connect(): Promise<Connection> {
    const connecting = (this.#connecting ??= connect(this.#options));
    try {
      const connection = await connecting;
      if (this.#connecting === connecting) this.#connected = connection;
      return connection;
    } catch (error) {
      if (this.#connecting === connecting) this.#connecting = undefined;
      throw error;
    }
  }
}

/** What Chroma enforces on its clients unless it says otherwise. */
export const DEFAULT_BATCH_RECORDS_MAX = 5_461;

const SETTLED = new Error("The call settled");

/**
 * Chroma marks as JSON whatever it answers. For chromadb an answer that is empty, or not marked at all,
 * is a good one: a write would count as done that something on the way has swallowed.
 */
function isChromas({ data, response }: { data?: unknown; response: Response }): boolean {
  const { headers } = response;
  const isMarked = /\bjson\b/i.test(headers.get("content-type") ?? "");
  const isEmpty = headers.get("content-length") === "0" || data === undefined;
  return isMarked && !isEmpty && typeof data !== "string";
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function sameEndpoint(left: Connection, right: Connection): boolean {
  return (
    left.endpoint?.host === right.endpoint?.host &&
    left.endpoint?.port === right.endpoint?.port &&
    left.endpoint?.incarnation === right.endpoint?.incarnation
  );
}

/** The same failure, of a call that an earlier request of may have changed something. */
function withUnknownOutcome(error: StoreError): StoreError {
  if (error.outcomeUnknown) return error;
  return new StoreError(error.message, {
    code: error.code,
    outcomeUnknown: true,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  });
}
