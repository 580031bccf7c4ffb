// What the offline embedder costs: its first text, a sentence, a long text, and how long it keeps
// the caller's event loop waiting meanwhile.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createEmbedder } from "@holdfast/embedder";
import { report, type Result } from "./results.ts";

const SENTENCES = 100;
const WEATHER = "The weather was mild. ";

const embedder = createEmbedder();
const stalls = monitorEventLoopDelay({ resolution: 1 });
// The monitor only sees a loop that turns.
const turning = setInterval(() => undefined, 1);
stalls.enable();
try {
  const firstMs = await timed(["The user prefers dark mode"]);
  const sentences = Array.from({ length: SENTENCES }, (_, index) => `Deployment ${index} was late`);
  const results: Result[] = [
    { subject: "embedder: the first text", value: firstMs, unit: "ms" },
    { subject: "embedder: a sentence", value: (await timed(sentences)) / SENTENCES, unit: "ms" },
    { subject: "embedder: 1 KB", value: await timed([WEATHER.repeat(46)]), unit: "ms" },
    { subject: "embedder: 100 KB", value: await timed([WEATHER.repeat(4_600)]), unit: "ms" },
  ];
  const detail = `resident ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`;
  const longest = stalls.max / 1e6;
  results.push({ subject: "embedder: the longest stall", value: longest, unit: "ms", detail });
  report(results);
} finally {
  clearInterval(turning);
  await embedder.close();
}

async function timed(texts: readonly string[]): Promise<number> {
  const started = performance.now();
  await embedder.embed(texts);
  return performance.now() - started;
}
