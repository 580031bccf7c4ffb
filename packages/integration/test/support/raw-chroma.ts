import type { Space } from "@holdfast/chroma";

/** A record as another program writes it. */
export interface RawRecord {
  id: string;
  vector: Float32Array;
  text: string;
  /** Default when written: the text's length. */
  metadata?: Record<string, string | number>;
}

/** Chroma's own HTTP interface, for collections that Holdfast would not make. */
export class RawChroma {
  readonly #base: string;

  constructor({ host, port }: { host: string; port: number }) {
    this.#base = `http://${host}:${port}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  }

  /** Returns the collection's id. */
  async create(name: string, hnsw: { space: Space; sync_threshold: number }): Promise<string> {
    const answer = (await this.#call("POST", "", { name, configuration: { hnsw } })) as {
      id: string;
    };
    return answer.id;
  }

  async idOf(name: string): Promise<string> {
    return ((await this.#call("GET", `/${name}`)) as { id: string }).id;
  }

  async write(
    how: "add" | "upsert" | "update",
    collection: string,
    records: readonly RawRecord[],
    batch = 100,
  ): Promise<void> {
    for (let from = 0; from < records.length; from += batch) {
      const part = records.slice(from, from + batch);
      await this.#call("POST", `/${collection}/${how}`, {
        ids: part.map(({ id }) => id),
        embeddings: part.map(({ vector }) => Array.from(vector)),
        documents: part.map(({ text }) => text),
        metadatas: part.map(({ text, metadata }) => metadata ?? { length: text.length }),
      });
    }
  }

  async delete(collection: string, ids: readonly string[]): Promise<void> {
    await this.#call("POST", `/${collection}/delete`, { ids });
  }

  async count(collection: string): Promise<number> {
    return (await this.#call("GET", `/${collection}/count`)) as number;
  }

  /** Everything in a collection, by id. */
  async read(collection: string): Promise<Map<string, RawRecord>> {
    const found = new Map<string, RawRecord>();
    for (let offset = 0; ; offset += 500) {
      const page = (await this.#call("POST", `/${collection}/get`, {
        limit: 500,
        offset,
        include: ["documents", "embeddings", "metadatas"],
      })) as {
        ids: string[];
        documents: string[];
        embeddings: number[][];
        metadatas: Record<string, string | number>[];
      };
      page.ids.forEach((id, index) => {
        const vector = Float32Array.from(page.embeddings[index] ?? []);
        const metadata = page.metadatas[index] ?? {};
        found.set(id, { id, vector, text: page.documents[index] ?? "", metadata });
      });
      if (page.ids.length < 500) return found;
    }
  }

  async nearest(collection: string, vector: Float32Array): Promise<string | undefined> {
    const answer = (await this.#call("POST", `/${collection}/query`, {
      query_embeddings: [Array.from(vector)],
      n_results: 1,
    })) as { ids: string[][] };
    return answer.ids[0]?.[0];
  }

  async #call(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }
}
