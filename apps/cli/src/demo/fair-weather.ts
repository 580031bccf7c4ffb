import type { SearchResult } from "@holdfast/memory";
import { MEMORIES, QUESTIONS } from "./memories.ts";
import { act, claim, type Scene, tell, until, write } from "./scene.ts";

/** Acts 2 and 3: the store is there, and remembers and recalls. */
export async function fairWeather(scene: Scene): Promise<void> {
  await remember(scene);
  await recall(scene);
}

async function remember(scene: Scene): Promise<void> {
  act(scene, 2, "Remember what an agent learns in a week");
  const { memory } = scene.parts;
  const began = performance.now();
  const receipts = await memory.addMany(MEMORIES, { waitMs: 0, signal: scene.signal });
  await until(() => memory.status().ledger.queued === 0, scene.signal);
  const tookMs = Math.round(performance.now() - began);
  for (const [index, receipt] of receipts.entries())
    write(scene, receipt, MEMORIES[index]?.text ?? "");
  const { stored } = memory.status().ledger;
  for (const { text } of MEMORIES.slice(0, 4)) tell(scene, `· ${text}`);
  tell(scene, `· … ${MEMORIES.length} in all`);
  tell(
    scene,
    `${stored} of ${MEMORIES.length} stored in Chroma after ${tookMs} ms, offline model included.`,
  );
}

async function recall(scene: Scene): Promise<void> {
  act(scene, 3, "Recall by meaning");
  const right = await askAll(scene);
  claim(scene, {
    claim: "Recall finds by meaning",
    evidence: `${right} of ${QUESTIONS.length} questions brought the right memory first`,
    held: right === QUESTIONS.length,
  });
}

/** Asks every question; returns how many Chroma itself answered with the right memory first. */
export async function askAll(scene: Scene): Promise<number> {
  let right = 0;
  for (const { query, answer } of QUESTIONS) {
    const { hits, degraded } = await ask(scene, query);
    const best = hits[0];
    if (!degraded && best?.text.startsWith(answer)) right += 1;
    tell(scene, `? ${query}`);
    const found = best === undefined ? "nothing" : `${best.score.toFixed(2)} ${best.text}`;
    tell(scene, scene.output.paint("green", `  ${found}`));
  }
  return right;
}

/** Asks again while the mirror answers for Chroma, as it does while others probe a half-open breaker. */
async function ask({ parts, signal }: Scene, query: string): Promise<SearchResult> {
  const search = (): Promise<SearchResult> => parts.memory.search(query, { limit: 3, signal });
  let result = await search();
  if (result.degraded) await until(async () => !(result = await search()).degraded, signal);
  return result;
}
