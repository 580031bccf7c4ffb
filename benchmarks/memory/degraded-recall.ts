import { DatabaseSync } from "node:sqlite";
import type { Hit } from "@holdfast/memory";
import type { Corpus, Question } from "./corpus.ts";
import type { Result } from "../results.ts";
import { quantile } from "../statistics.ts";
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
  const questions = corpus.questions(QUERIES, texts);
  await known.learn(questions.map(({ text }) => text));
  await workspace.breaker.forceOpen("benchmark");
  const times: number[] = [];
  for (const [call, { text }] of [...questions.slice(0, SAMPLED), ...questions].entries()) {
    const started = performance.now();
    await recall(workspace, text);
    if (call >= SAMPLED) times.push(performance.now() - started);
  }
  const uncapped = await comparedWithUncapped(workspace, questions.slice(0, SAMPLED));
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
      detail: `uncapped p50 ${uncapped.p50Ms.toFixed(0)} ms`,
    },
    {
      subject: `the memory that was asked for among the first ${LIMIT}`,
      value: uncapped.askedFor.ours,
      unit: "share",
      detail: `over all words ${(uncapped.askedFor.theirs * 100).toFixed(0)} %`,
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

async function recall({ memory }: Workspace, query: string): Promise<readonly Hit[]> {
  const { hits, degraded } = await memory.search(query, { limit: LIMIT });
  if (!degraded) throw new Error("The store answered");
  return hits;
}

/** A hit counts when it is as good as the last of the uncapped best: equals are interchangeable. */
async function comparedWithUncapped(
  workspace: Workspace,
  questions: readonly Question[],
): Promise<{ recall: number; askedFor: { ours: number; theirs: number }; p50Ms: number }> {
  using db = new DatabaseSync(workspace.file, { readOnly: true });
  const all = db.prepare(
    `SELECT memory.id, memory_text.rank AS score FROM memory_text
     JOIN memory ON memory.memory = memory_text.rowid WHERE memory_text MATCH ?`,
  );
  const best = db.prepare(
    `SELECT memory.text FROM memory_text JOIN memory ON memory.memory = memory_text.rowid
     WHERE memory_text MATCH ? ORDER BY memory_text.rank LIMIT ?`,
  );
  const found = { ours: 0, theirs: 0 };
  let [shared, wanted] = [0, 0];
  const times: number[] = [];
  for (const { text, about } of questions) {
    const words = new Set(text.match(/[a-z]+/g));
    const match = [...words].map((word) => `"${word}"`).join(" OR ");
    const started = performance.now();
    const uncapped = best.all(match, LIMIT) as { text: string }[];
    times.push(performance.now() - started);
    const scores = new Map(
      (all.all(match) as { id: string; score: number }[]).map(({ id, score }) => [id, score]),
    );
    const ranked = [...scores.values()].toSorted((one, other) => one - other).slice(0, LIMIT);
    const bar = (ranked.at(-1) ?? 0) + 1e-9;
    const hits = await recall(workspace, text);
    shared += hits.filter(({ id }) => (scores.get(id) ?? 0) <= bar).length;
    wanted += ranked.length;
    if (hits.some((hit) => hit.text === about)) found.ours += 1;
    if (uncapped.some((hit) => hit.text === about)) found.theirs += 1;
  }
  const count = questions.length;
  return {
    recall: shared / wanted,
    askedFor: { ours: found.ours / count, theirs: found.theirs / count },
    p50Ms: quantile(times, 0.5),
  };
}
