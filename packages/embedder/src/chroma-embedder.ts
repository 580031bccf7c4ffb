import { CHROMA_PROVIDERS, type ChromaProvider, KNOWN_DIMENSIONS } from "./chroma-providers.ts";
import { closedError, EmbedderError } from "./embedder-error.ts";
import type { Embedder, EmbedderIdentity, EmbedOptions } from "./embedder.ts";
import { type EmbeddingFunction, loadProvider } from "./load-provider.ts";

export interface ChromaEmbedderOptions {
  /** The name of a `@chroma-core` package, without its scope. */
  provider: string;
  model?: string;
  options?: Readonly<Record<string, unknown>>;
}

export interface ChromaEmbedderDeps {
  /** Loads a package by name. Default: `import()`. */
  importModule?: (name: string) => Promise<Record<string, unknown>>;
}

/** One of Chroma's own embedding functions, loaded at first use and called in batches. */
export class ChromaEmbedder implements Embedder {
  readonly #choice: ChromaEmbedderOptions;
  readonly #provider: ChromaProvider;
  readonly #model: string;
  readonly #importModule: (name: string) => Promise<Record<string, unknown>>;
  #loading: Promise<EmbeddingFunction> | undefined;
  #dimension: number | undefined;
  readonly #closed = new AbortController();

  constructor(choice: ChromaEmbedderOptions, deps: ChromaEmbedderDeps) {
    this.#choice = choice;
    this.#provider = findProvider(choice.provider);
    this.#model = modelOf(choice, this.#provider);
    this.#dimension = statedDimension(choice, this.#model);
    this.#importModule = deps.importModule ?? ((name) => import(name));
  }

  async identity(): Promise<EmbedderIdentity> {
    const dimension = this.#dimension ?? (await this.#probeDimension());
    return { provider: this.#choice.provider, model: this.#model, dimension };
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const signal = AbortSignal.any([
      ...(options.signal ? [options.signal] : []),
      this.#closed.signal,
    ]);
    signal.throwIfAborted();
    if (texts.length === 0) return [];
    const fn = await untilAborted(this.#load(), signal);
    const vectors: Float32Array[] = [];
    const { batchSize } = this.#provider;
    for (let start = 0; start < texts.length; start += batchSize) {
      const batch = texts.slice(start, start + batchSize).map(sendable);
      // One request at a time spares the service's rate limits.
      vectors.push(...(await untilAborted(this.#generate(fn, batch), signal)));
    }
    return vectors;
  }

  close(): Promise<void> {
    this.#closed.abort(closedError());
    this.#loading = undefined;
    return Promise.resolve();
  }

  async #probeDimension(): Promise<number> {
    const [vector] = await this.embed(["dimension"]);
    return vector?.length ?? 0;
  }

  async #load(): Promise<EmbeddingFunction> {
    const { provider, options = {} } = this.#choice;
    this.#loading ??= loadProvider(
      { name: provider, provider: this.#provider, model: this.#model, options },
      this.#importModule,
    );
    try {
      return await this.#loading;
    } catch (error) {
      // Once the package is installed or the key is set, the same embedder works.
      this.#loading = undefined;
      throw error;
    }
  }

  async #generate(fn: EmbeddingFunction, texts: string[]): Promise<Float32Array[]> {
    let answer: unknown;
    try {
      answer = await fn.generate(texts);
    } catch (cause) {
      throw this.#serviceError(cause);
    }
    const rows: unknown[] = Array.isArray(answer) ? answer : [];
    if (rows.length !== texts.length) {
      throw this.#outputError(`${rows.length} vectors for ${texts.length} texts`);
    }
    return rows.map((row) => this.#vector(row));
  }

  #vector(row: unknown): Float32Array {
    const numbers = Array.isArray(row) || ArrayBuffer.isView(row);
    const vector = Float32Array.from(numbers ? (row as ArrayLike<number>) : []);
    const expected = this.#dimension ?? vector.length;
    if (vector.length === 0 || vector.length !== expected) {
      throw this.#outputError(`${vector.length} numbers where ${expected || "some"} are expected`);
    }
    if (!vector.every(Number.isFinite)) throw this.#outputError("a number that is not finite");
    this.#dimension = expected;
    return vector;
  }

  #serviceError(cause: unknown): EmbedderError {
    const status = statusOf(cause);
    const refused = status !== undefined && status >= 400 && status < 500;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new EmbedderError(`The embedder ${this.#choice.provider} failed: ${reason}`, {
      code: "EMBEDDER_FAILED",
      retryable: !refused || status === 408 || status === 429,
      hint: "Check the service, its credentials and the model's name.",
      cause,
    });
  }

  #outputError(what: string): EmbedderError {
    return new EmbedderError(`The embedder ${this.#choice.provider} answered with ${what}`, {
      code: "EMBEDDER_OUTPUT_INVALID",
      hint: "Check the model's name and any stated dimension.",
    });
  }
}

function findProvider(name: string): ChromaProvider {
  const provider = Object.hasOwn(CHROMA_PROVIDERS, name) ? CHROMA_PROVIDERS[name] : undefined;
  if (provider) return provider;
  throw new EmbedderError(`No embedder is called ${JSON.stringify(name)}`, {
    code: "EMBEDDER_UNKNOWN",
    hint: `Choose one of: default, hash, ${Object.keys(CHROMA_PROVIDERS).join(", ")}.`,
  });
}

function modelOf({ provider, model }: ChromaEmbedderOptions, found: ChromaProvider): string {
  const chosen = model ?? found.modelDefault;
  if (chosen) return chosen;
  throw new EmbedderError(`The embedder ${provider} needs a model`, {
    code: "EMBEDDER_OPTIONS_INVALID",
    hint: "State it: collections remember which model made their vectors.",
  });
}

function statedDimension({ options }: ChromaEmbedderOptions, model: string): number | undefined {
  const stated = options?.["dimensions"] ?? options?.["dimension"];
  if (typeof stated === "number") return stated;
  return Object.hasOwn(KNOWN_DIMENSIONS, model) ? KNOWN_DIMENSIONS[model] : undefined;
}

/** Several services refuse an empty text, and ill-formed UTF-16 cannot be sent at all. */
function sendable(text: string): string {
  return text.trim() === "" ? " " : text.toWellFormed();
}

/** HTTP status, as the services' clients name it. */
function statusOf(error: unknown): number | undefined {
  const fields = error as { status?: unknown; statusCode?: unknown; status_code?: unknown } | null;
  const status = fields?.status ?? fields?.statusCode ?? fields?.status_code;
  return typeof status === "number" ? status : undefined;
}

/** Chroma's functions take no signal: the wait ends, the request runs out by itself. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
