import { Worker } from "node:worker_threads";
import { closedError, EmbedderError } from "./embedder-error.ts";
import type { Embedder, EmbedderIdentity, EmbedOptions } from "./embedder.ts";
import type { EmbeddingReply, EmbeddingRequest } from "./embedding-worker.ts";
import { OFFLINE_IDENTITY } from "./offline-identity.ts";

/** Texts that may wait at once, over all calls. */
const WAITING_TEXTS_MAX = 10_000;

/** tsc rewrites the ending of imports, not of this URL. */
const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./embedding-worker.ts" : "./embedding-worker.js",
  import.meta.url,
);

interface Call {
  readonly texts: readonly string[];
  readonly vectors: Float32Array[];
  readonly resolve: (vectors: Float32Array[]) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Sentence embeddings without a network. The model runs in a worker thread of its own, since it
 * computes 15 to 150 ms a window; the thread starts at the first text and never keeps a process
 * alive by itself. Calls take turns text by text, so that a search is not stuck behind a bulk load.
 */
export class OfflineEmbedder implements Embedder {
  /** Calls that still have texts to hand out, in the order of their turns. */
  readonly #calls: Call[] = [];
  readonly #workerUrl: URL;
  #worker: Worker | undefined;
  /** The one text that the worker has. */
  #current: { id: number; call: Call } | undefined;
  #lastId = 0;
  #closed = false;

  /** `workerUrl` speaks the protocol of embedding-worker.ts. */
  constructor(workerUrl: URL = WORKER_URL) {
    this.#workerUrl = workerUrl;
  }

  identity(): Promise<EmbedderIdentity> {
    return Promise.resolve({ ...OFFLINE_IDENTITY });
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    if (texts.length === 0) return [];
    this.#refuseOverload(texts.length);
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>();
    const call: Call = { texts: [...texts], vectors: [], resolve, reject };
    const onAbort = (): void => this.#fail(call, signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#calls.push(call);
    this.#dispatch();
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#current = undefined;
    for (const call of this.#calls.splice(0)) call.reject(closedError());
    const ending = this.#worker;
    this.#worker = undefined;
    await ending?.terminate();
  }

  #refuseOverload(added: number): void {
    let waiting = added;
    for (const call of this.#calls) waiting += call.texts.length - call.vectors.length;
    if (waiting <= WAITING_TEXTS_MAX) return;
    throw new EmbedderError(`${waiting} texts would wait for the embedder`, {
      code: "EMBEDDER_BUSY",
      retryable: true,
      hint: `Embed at most ${WAITING_TEXTS_MAX} texts at once; await the calls under way first.`,
    });
  }

  /** Hands the worker the next text of the call whose turn it is. */
  #dispatch(): void {
    if (this.#current !== undefined) return;
    const call = this.#calls[0];
    if (call === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#worker ??= this.#startWorker();
    this.#worker.ref();
    const id = (this.#lastId += 1);
    this.#current = { id, call };
    const request: EmbeddingRequest = { id, text: call.texts[call.vectors.length] ?? "" };
    this.#worker.postMessage(request, []);
  }

  #startWorker(): Worker {
    const started = new Worker(this.#workerUrl, { name: "holdfast-embedder" });
    started.on("message", (reply: EmbeddingReply) => this.#onReply(started, reply));
    started.on("error", (error) => this.#onWorkerEnd(started, error));
    started.on("exit", (code) => this.#onWorkerEnd(started, new Error(`exit code ${code}`)));
    return started;
  }

  #onReply(from: Worker, reply: EmbeddingReply): void {
    if (from !== this.#worker || this.#current?.id !== reply.id) return;
    if ("error" in reply) {
      // A thread whose model failed to load would fail for ever: the next text gets a fresh one.
      void from.terminate();
      this.#onWorkerEnd(from, reply.error);
      return;
    }
    const { call } = this.#current;
    this.#current = undefined;
    // Gone from the calls when it was aborted meanwhile.
    if (this.#remove(call)) {
      call.vectors.push(reply.vector);
      if (call.vectors.length === call.texts.length) call.resolve(call.vectors);
      else this.#calls.push(call);
    }
    this.#dispatch();
  }

  #onWorkerEnd(ended: Worker, cause: unknown): void {
    if (ended !== this.#worker) return;
    this.#worker = undefined;
    const failed = this.#current?.call;
    this.#current = undefined;
    if (failed) this.#fail(failed, workerError(cause));
    this.#dispatch();
  }

  #fail(call: Call, reason: unknown): void {
    this.#remove(call);
    call.reject(reason);
  }

  #remove(call: Call): boolean {
    const place = this.#calls.indexOf(call);
    if (place >= 0) this.#calls.splice(place, 1);
    return place >= 0;
  }
}

function workerError(cause: unknown): EmbedderError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EmbedderError(`The offline embedder failed: ${reason}`, {
    code: "EMBEDDER_FAILED",
    retryable: true,
    hint: "If it fails again, reinstall @holdfast/embedder: its weights may be incomplete.",
    cause,
  });
}
