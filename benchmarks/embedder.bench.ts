// What the offline embedder costs: its first text, a sentence, a long text, and how long it keeps
// the caller's event loop waiting meanwhile. Prints JSON.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createEmbedder } from "@holdfast/embedder";

const SENTENCES = 100;

const embedder = createEmbedder();
const stalls = monitorEventLoopDelay({ resolution: 1 });
// The monitor only sees a loop that turns.
const turning = setInterval(() => undefined, 1);
stalls.enable();
try {
  const firstMs = await timed(["The user prefers dark mode"]);
  const sentences = Array.from({ length: SENTENCES }, (_, index) => `Deployment ${index} was late`);
  const result = {
    node: process.version,
    firstMs,
    sentenceMs: Math.round(((await timed(sentences)) / SENTENCES) * 10) / 10,
    oneKilobyteMs: await timed(["The weather was mild. ".repeat(46)]),
    hundredKilobytesMs: await timed(["The weather was mild. ".repeat(4_600)]),
    longestStallMs: Math.round(stalls.max / 1e6),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  clearInterval(turning);
  await embedder.close();
}

async function timed(texts: readonly string[]): Promise<number> {
  const started = performance.now();
  await embedder.embed(texts);
  return Math.round(performance.now() - started);
}
