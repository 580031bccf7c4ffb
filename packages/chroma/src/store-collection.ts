import {
  assertBatch,
  assertCount,
  assertRecords,
  assertVector,
  type CallOptions,
  type CollectionInfo,
  lastOfEachId,
  type Match,
  type QueryOptions,
  type Metadata,
  sameEmbedder,
  type ScanOptions,
  StoreError,
  type StoredRecord,
  type StoreLimits,
  type VectorCollection,
  type VectorRecord,
} from "@holdfast/store";
import type { Call, Client } from "./client.ts";
import { assertAnswer } from "./error-translation.ts";
import { decodeRecord, decodeVector, upsertBodies, whereText } from "./store-codec.ts";

/** Ids in one get: SQLite, below the server, binds at most 32,766 values. */
const GET_IDS_MAX = 5_000;
const SCAN_PAGE_SIZE = 500;

export interface ResolvedCollection {
  id: string;
  info: CollectionInfo;
}

export interface ChromaCollectionDeps {
  client: Client;
  limits(): StoreLimits;
  resolve(call: Call, name: string): Promise<ResolvedCollection>;
}

type Column<T> = readonly (T | null)[] | null;

interface GetAnswer {
  ids: string[];
  documents: Column<string>;
  metadatas: Column<Metadata>;
  embeddings: Column<(number | null)[]>;
}

interface QueryAnswer {
  ids: string[][];
  documents: Column<Column<string>>;
  metadatas: Column<Column<Metadata>>;
  distances: Column<Column<number>>;
}

/** A collection by its id in Chroma, which survives renames and restarts. */
export class ChromaCollection implements VectorCollection {
  readonly info: CollectionInfo;
  #id: string;
  readonly #deps: ChromaCollectionDeps;

  constructor(resolved: ResolvedCollection, deps: ChromaCollectionDeps) {
    this.info = resolved.info;
    this.#id = resolved.id;
    this.#deps = deps;
  }

  async upsert(records: readonly VectorRecord[], options?: CallOptions): Promise<void> {
    assertRecords(records, this.info.embedder, this.#deps.limits().batchRecordsMax);
    if (records.length === 0) return;
    await this.#run("upsert", options, async (call, path) => {
      const { base64, batchRecordsMax } = await call.preflight();
      assertBatch("upsert", records.length, batchRecordsMax);
      const { batchBytesMax } = this.#deps.limits();
      for (const body of upsertBodies(lastOfEachId(records), batchBytesMax, base64)) {
        await call.request({ method: "POST", path: `${path}/upsert`, body, write: true });
      }
    });
  }

  async get(
    ids: readonly string[],
    options?: CallOptions & { embeddings?: boolean },
  ): Promise<StoredRecord[]> {
    // Chroma refuses a whole request for one id that is half a character; none can be stored.
    const asked = [...new Set(ids)].filter((id) => id.isWellFormed());
    if (asked.length === 0) return [];
    return this.#run("get", options, async (call, path) => {
      const found: StoredRecord[] = [];
      for (let from = 0; from < asked.length; from += GET_IDS_MAX) {
        const body = JSON.stringify({
          ids: asked.slice(from, from + GET_IDS_MAX),
          include: included(options?.embeddings),
        });
        found.push(...rows(await call.request({ method: "POST", path: `${path}/get`, body })));
      }
      return found;
    });
  }

  async query(embedding: Float32Array, options: QueryOptions): Promise<Match[]> {
    assertCount("limit", options.limit, 0);
    assertVector(embedding, this.info.embedder?.dimension);
    const where = whereText(options.where);
    if (options.limit === 0) return [];
    const body = `{"query_embeddings":[${JSON.stringify(Array.from(embedding))}],"n_results":${options.limit},"include":["documents","metadatas","distances"]${where === undefined ? "" : `,"where":${where}`}}`;
    return this.#run("query", options, async (call, path) =>
      matches(await call.request({ method: "POST", path: `${path}/query`, body })),
    );
  }

  async delete(ids: readonly string[], options?: CallOptions): Promise<void> {
    assertBatch("delete", ids.length, this.#deps.limits().batchRecordsMax);
    const named = [...new Set(ids)].filter((id) => id.isWellFormed());
    if (named.length === 0) return;
    await this.#run("delete", options, (call, path) =>
      call.request({
        method: "POST",
        path: `${path}/delete`,
        body: JSON.stringify({ ids: named }),
        write: true,
      }),
    );
  }

  async count(options?: CallOptions): Promise<number> {
    return this.#run("count", options, async (call, path) => {
      const count = await call.request({ method: "GET", path: `${path}/count` });
      assertAnswer("count", typeof count === "number", count);
      return count as number;
    });
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<StoredRecord[], void, undefined> {
    const limit = options.pageSize ?? SCAN_PAGE_SIZE;
    assertCount("pageSize", limit, 1);
    const where = whereText(options.where);
    for (let offset = 0; ; offset += limit) {
      const body = `{"limit":${limit},"offset":${offset},"include":${JSON.stringify(included(options.embeddings))}${where === undefined ? "" : `,"where":${where}`}}`;
      const page = await this.#run("scan", options, async (call, path) =>
        rows(await call.request({ method: "POST", path: `${path}/get`, body })),
      );
      if (page.length > 0) yield page;
      if (page.length < limit) return;
    }
  }

  /** Runs on the collection that the id names; when that is gone, on the one that has its name. */
  #run<T>(
    operation: string,
    options: CallOptions | undefined,
    work: (call: Call, path: string) => Promise<T>,
  ): Promise<T> {
    return this.#deps.client.run(operation, options, async (call) => {
      const id = this.#id;
      try {
        return await work(call, `/collections/${id}`);
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "COLLECTION_NOT_FOUND") throw error;
        const heir = await this.#deps.resolve(call, this.info.name);
        if (!sameEmbedder(this.info.embedder, heir.info.embedder)) {
          throw new StoreError(`The collection ${this.info.name} was made anew by another model`, {
            code: "EMBEDDER_MISMATCH",
            hint: "Open it again with the model that made it.",
            cause: error,
          });
        }
        if (heir.id === id) throw error;
        this.#id = heir.id;
        return await work(call, `/collections/${heir.id}`);
      }
    });
  }
}

function included(embeddings: boolean | undefined): string[] {
  return embeddings ? ["documents", "metadatas", "embeddings"] : ["documents", "metadatas"];
}

function rows(answer: unknown): StoredRecord[] {
  assertAnswer("get", isTexts((answer as GetAnswer | null)?.ids), answer);
  const { ids, documents, metadatas, embeddings } = answer as GetAnswer;
  return Array.from(ids, (id, index) => {
    const record = decodeRecord(id, documents?.[index], metadatas?.[index]);
    const vector = embeddings?.[index];
    return vector ? { ...record, embedding: decodeVector(vector) } : record;
  });
}

function matches(answer: unknown): Match[] {
  // Without a list for the vector that was asked, it would pass for an answer without matches.
  assertAnswer("query", isTexts((answer as QueryAnswer | null)?.ids?.[0]), answer);
  const { ids, documents, metadatas, distances } = answer as QueryAnswer;
  return Array.from(ids[0] as string[], (id, index) => ({
    ...decodeRecord(id, documents?.[0]?.[index], metadatas?.[0]?.[index]),
    distance: distances?.[0]?.[index] ?? Number.NaN,
  }));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
