import { type Clock, systemClock } from "@holdfast/core";
import {
  assertCollectionName,
  type CallOptions,
  type CollectionInfo,
  type CollectionSpec,
  StoreError,
  type StoreLimits,
  type VectorCollection,
  type VectorStore,
} from "@holdfast/store";
import { type Call, Client, DEFAULT_BATCH_RECORDS_MAX } from "./client.ts";
import type { ChromaStoreOptions } from "./client-options.ts";
import { assertAnswer } from "./error-translation.ts";
import { ChromaCollection, type ResolvedCollection } from "./store-collection.ts";
import { type CollectionAnswer, createBody, decodeInfo } from "./store-form.ts";

/** What Chroma's server accepts in one request unless it is configured otherwise. */
const BATCH_BYTES_MAX = 40 * 1_024 * 1_024;
const LIST_PAGE_SIZE = 100;

/**
 * Chroma as a VectorStore: a server, the cloud, or a server that is managed here. Opens no
 * connection before the first call, and none but to its endpoint. Collections keep their embedder's
 * identity in their metadata; no embedding function is ever loaded or run.
 */
export class ChromaStore implements VectorStore {
  readonly #client: Client;
  readonly #place: { tenant: string; database: string };

  /** `options` and its defaults: see {@link ChromaStoreOptions}. */
  constructor(options: ChromaStoreOptions, deps: { clock?: Clock } = {}) {
    this.#client = new Client(options, deps.clock ?? systemClock);
    const { tenant = "default_tenant", database = "default_database" } = options;
    this.#place = { tenant, database };
  }

  /** The server's own batch size once it was asked, which the first upsert does. */
  get limits(): StoreLimits {
    const said = this.#client.connection?.preflight?.batchRecordsMax;
    return {
      batchRecordsMax: said ?? DEFAULT_BATCH_RECORDS_MAX,
      batchBytesMax: BATCH_BYTES_MAX,
    };
  }

  incarnation(): string | undefined {
    return this.#client.connection?.endpoint?.incarnation;
  }

  async ping(options?: CallOptions): Promise<void> {
    this.#client.forget();
    await this.#client.run("ping", options, assertPlace);
  }

  async listCollections(options?: CallOptions): Promise<CollectionInfo[]> {
    return this.#client.run("listCollections", options, async (call) => {
      const found = new Map<string, CollectionInfo>();
      for (let offset = 0; ; offset += LIST_PAGE_SIZE) {
        const page = (await call.request({
          method: "GET",
          path: "/collections",
          query: { limit: LIST_PAGE_SIZE, offset },
        })) as CollectionAnswer[];
        assertAnswer("listCollections", Array.isArray(page), page);
        for (const answer of page) found.set(answer.id, decodeInfo(answer));
        if (page.length < LIST_PAGE_SIZE) break;
      }
      // Chroma lists nothing, without an error, for a database that does not exist.
      if (found.size === 0) await assertPlace(call);
      return [...found.values()];
    });
  }

  async openCollection(name: string, options?: CallOptions): Promise<VectorCollection> {
    const resolved = await this.#client.run("openCollection", options, (call) =>
      resolve(call, name),
    );
    return this.#handle(resolved);
  }

  async createCollection(spec: CollectionSpec, options?: CallOptions): Promise<VectorCollection> {
    assertCollectionName(spec.name);
    const created = await this.#client.run("createCollection", options, (call) =>
      call.request({
        method: "POST",
        path: "/collections",
        body: createBody(spec),
        write: true,
      }),
    );
    const answer = collectionOf("createCollection", created, true);
    return this.#handle({ id: answer.id, info: decodeInfo(answer) });
  }

  async renameCollection(from: string, to: string, options?: CallOptions): Promise<void> {
    assertCollectionName(to);
    await this.#client.run("renameCollection", options, async (call) => {
      const { id } = await resolve(call, from);
      await call.request({
        method: "PUT",
        path: `/collections/${id}`,
        body: JSON.stringify({ new_name: to }),
        write: true,
      });
    });
  }

  async deleteCollection(name: string, options?: CallOptions): Promise<void> {
    await this.#client.run("deleteCollection", options, (call) =>
      inPlace(call, () => call.request({ method: "DELETE", path: named(name), write: true })),
    );
  }

  /**
   * Creates the configured tenant and database where the server lacks them. Idempotent. Not for the
   * cloud, whose places are made by its owner.
   */
  async createPlace(options?: CallOptions): Promise<void> {
    await this.#client.run("createPlace", options, async (call) => {
      const { tenant, database } = this.#place;
      const path = "/api/v2/tenants";
      await makeOnce(call, path, tenant);
      await makeOnce(call, `${path}/${encodeURIComponent(tenant)}/databases`, database);
    });
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #handle(resolved: ResolvedCollection): VectorCollection {
    return new ChromaCollection(resolved, {
      client: this.#client,
      limits: () => this.limits,
      resolve,
    });
  }
}

async function resolve(call: Call, name: string): Promise<ResolvedCollection> {
  const found = await inPlace(call, () => call.request({ method: "GET", path: named(name) }));
  const answer = collectionOf("openCollection", found);
  return { id: answer.id, info: { ...decodeInfo(answer), name } };
}

/** @throws StoreError `STORE_UNAVAILABLE` for what is no collection. */
function collectionOf(
  operation: string,
  answer: unknown,
  outcomeUnknown = false,
): CollectionAnswer {
  const { id } = (answer ?? {}) as Partial<CollectionAnswer>;
  assertAnswer(operation, typeof id === "string", answer, outcomeUnknown);
  return answer as CollectionAnswer;
}

/** Chroma answers 409 for what is there already. */
async function makeOnce(call: Call, path: string, name: string): Promise<void> {
  try {
    await call.request({ method: "POST", path, body: JSON.stringify({ name }), write: true });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "COLLECTION_EXISTS") throw error;
  }
}

function named(name: string): string {
  // A name that cannot be one must not become another path.
  return `/collections/${encodeURIComponent(name === "" ? " " : name.toWellFormed())}`;
}

/** Chroma says that a collection is missing also when its whole database is. */
async function inPlace<T>(call: Call, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") {
      await assertPlace(call);
    }
    throw error;
  }
}

/** @throws StoreError `STORE_MISSING` when the tenant or the database does not exist. */
async function assertPlace(call: Call): Promise<void> {
  await call.request({ method: "GET", path: "" });
}
