import { createEmbedder } from "@holdfast/embedder";
import type { Embedder } from "@holdfast/memory";
import type { Corpus } from "./corpus.ts";
import type { Result } from "../results.ts";
import { figuresAt, interleaved, ratioAt } from "../statistics.ts";
import { type Address, KnownVectors, openWorkspace, ownMetadata, rawClient } from "./workspace.ts";

const ROUNDS = 5;
const QUERIES = 200;
const MEMORIES = 5_000;
const LIMIT = 10;
const P50_GOAL = 1.05;
const P99_GOAL = 1.15;
/** The model needs 25 ms a sentence: fewer of everything. */
const MODEL_QUERIES = 20;
const MODEL_MEMORIES = 200;

/** `memory.search` against `collection.query` of the same collection with the same vectors. */
export async function searchResults(address: Address, corpus: Corpus): Promise<Result[]> {
  const texts = corpus.sentences(MEMORIES);
  const queries = corpus.questions(QUERIES, texts).map(({ text }) => text);
  const known = new KnownVectors();
  await known.learn([...texts, ...queries]);
  const times = await compare(address, known, "search", texts, queries);
  return [
    {
      subject: `search of ${MEMORIES} memories, p50, against raw query`,
      value: ratioAt(times, 0.5),
      unit: "×",
      goal: { atMost: P50_GOAL },
      detail: figuresAt(times, 0.5),
    },
    {
      subject: `search of ${MEMORIES} memories, p99, against raw query`,
      value: ratioAt(times, 0.99),
      unit: "×",
      goal: { atMost: P99_GOAL },
      detail: figuresAt(times, 0.99),
    },
  ];
}

/** The same with the default embedder on both sides. */
export async function searchWithModelResults(address: Address, corpus: Corpus): Promise<Result[]> {
  const texts = corpus.sentences(MODEL_MEMORIES);
  const queries = corpus.questions(MODEL_QUERIES, texts).map(({ text }) => text);
  const embedder = createEmbedder();
  try {
    const times = await compare(address, embedder, "search-model", texts, queries);
    return [
      {
        subject: "search, p50, with the default embedder on both sides",
        value: ratioAt(times, 0.5),
        unit: "×",
        goal: { atMost: P50_GOAL },
        detail: figuresAt(times, 0.5),
      },
    ];
  } finally {
    await embedder.close();
  }
}

async function compare(
  address: Address,
  embedder: Embedder,
  collection: string,
  texts: readonly string[],
  queries: readonly string[],
): ReturnType<typeof interleaved> {
  await using workspace = openWorkspace(address, embedder, { collection });
  const { memory } = workspace;
  await memory.addMany(
    texts.map((text, index) => ({ text, ...ownMetadata(index) })),
    { waitMs: 120_000 },
  );
  const raw = await rawClient(address).getCollection({ name: collection });
  const queryOf = (call: number): string => queries[call % queries.length] as string;
  return await interleaved(
    ROUNDS,
    queries.length,
    async (call) => {
      const { hits, degraded, reason } = await memory.search(queryOf(call), { limit: LIMIT });
      if (degraded || hits.length !== LIMIT) throw new Error(reason ?? `${hits.length} hits`);
    },
    async (call) => {
      const [vector] = await embedder.embed([queryOf(call)]);
      await raw.query({
        queryEmbeddings: [Array.from(vector as Float32Array)],
        nResults: LIMIT,
      });
    },
  );
}
