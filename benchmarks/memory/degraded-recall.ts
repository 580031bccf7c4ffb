import { DatabaseSync } from "node:sqlite";
import type { Corpus } from "./corpus.ts";
import { quantile, type Result } from "./statistics.ts";
import { KnownVectors, NOWHERE, openWorkspace, ownMetadata, type Workspace } from "./workspace.ts";

const MEMORIES = 100_000;
const CHUNK = 5_000;
const QUERIES = 1_000;
const SAMPLED = 100;
const LIMIT = 10;
const GOAL_MS = 20;

/** Recall from the mirror, the breaker open; and what bounding its work costs in recall. */
export async function degradedRecallResults(corpus: Corpus): Promise<Result[]> {
  const known = new KnownVectors();
  await using workspace = openWorkspace(NOWHERE, known, {
    background: false,
    outbox: { recordsMax: 2 * MEMORIES },
  });
  const texts = await fill(workspace, corpus);
  const queries = corpus.questions(QUERIES, texts);
  await known.learn(queries);
  await workspace.breaker.forceOpen("benchmark");
  const times: number[] = [];
  for (const [call, query] of [...queries.slice(0, SAMPLED), ...queries].entries()) {
    const started = performance.now();
    await recall(workspace, query);
    if (call >= SAMPLED) times.push(performance.now() - started);
  }
  const uncapped = await comparedWithUncapped(workspace, queries.slice(0, SAMPLED));
  const at = (fraction: number): string => quantile(times, fraction).toFixed(1);
  return [
    {
      subject: `degraded recall of ${MEMORIES} memories, p99`,
      value: quantile(times, 0.99),
      unit: "ms",
      goal: { atMost: GOAL_MS },
      detail: `p50 ${at(0.5)} ms, slowest ${at(1)} ms`,
    },
    {
      subject: `its recall@${LIMIT} against BM25 over all words`,
      value: uncapped.recall,
      unit: "share",
      detail: `first hit the same: ${(uncapped.firstSame * 100).toFixed(0)} %; uncapped p50 ${uncapped.p50Ms.toFixed(0)} ms`,
    },
  ];
}

async function fill({ memory }: Workspace, corpus: Corpus): Promise<string[]> {
  const texts = corpus.sentences(MEMORIES);
  for (let from = 0; from < MEMORIES; from += CHUNK) {
    const chunk = texts.slice(from, from + CHUNK);
    await memory.addMany(
      chunk.map((text, index) => ({ text, ...ownMetadata(from + index) })),
      { waitMs: 0 },
    );
  }
  return texts;
}

async function recall({ memory }: Workspace, query: string): Promise<string[]> {
  const { hits, degraded } = await memory.search(query, { limit: LIMIT });
  if (!degraded) throw new Error("The store answered");
  return hits.map((hit) => hit.id);
}

/** A hit counts when it is as good as the last of the uncapped best: equals are interchangeable. */
async function comparedWithUncapped(
  workspace: Workspace,
  queries: readonly string[],
): Promise<{ recall: number; firstSame: number; p50Ms: number }> {
  using db = new DatabaseSync(workspace.file, { readOnly: true });
  const all = db.prepare(
    `SELECT memory.id, memory_text.rank AS score FROM memory_text
     JOIN memory ON memory.memory = memory_text.rowid WHERE memory_text MATCH ?`,
  );
  const best = db.prepare(
    "SELECT rowid FROM memory_text WHERE memory_text MATCH ? ORDER BY rank LIMIT ?",
  );
  let [found, wanted, firstSame] = [0, 0, 0];
  const times: number[] = [];
  for (const query of queries) {
    const words = new Set(query.match(/[a-z]+/g));
    const match = [...words].map((word) => `"${word}"`).join(" OR ");
    const started = performance.now();
    best.all(match, LIMIT);
    times.push(performance.now() - started);
    const scores = new Map(
      (all.all(match) as { id: string; score: number }[]).map(({ id, score }) => [id, score]),
    );
    const ranked = [...scores.values()].toSorted((one, other) => one - other).slice(0, LIMIT);
    const hits = await recall(workspace, query);
    const isAmong = (id: string | undefined, bar: number | undefined): boolean =>
      (scores.get(id ?? "") ?? 0) <= (bar ?? 0) + 1e-9;
    found += hits.filter((id) => isAmong(id, ranked.at(-1))).length;
    wanted += ranked.length;
    if (isAmong(hits[0], ranked[0])) firstSame += 1;
  }
  return {
    recall: found / wanted,
    firstSame: firstSame / queries.length,
    p50Ms: quantile(times, 0.5),
  };
}
