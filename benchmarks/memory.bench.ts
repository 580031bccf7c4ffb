// What the memory service costs, on a real Chroma: reading and writing through it against Chroma's
// own client, and what it does while Chroma is down. Names of
// subjects as arguments run only those.
import { startChroma } from "@holdfast/testkit";
import { addResults, offlineAddResults } from "./memory/add.ts";
import { Corpus } from "./memory/corpus.ts";
import { degradedRecallResults } from "./memory/degraded-recall.ts";
import { drainResults } from "./memory/drain.ts";
import { searchResults, searchWithModelResults } from "./memory/search.ts";
import type { Address } from "./memory/workspace.ts";
import { report, type Result } from "./results.ts";

const SEED = Number(process.env["SEED"] ?? 20_240);
const SUBJECTS: Readonly<Record<string, (address: Address, corpus: Corpus) => Promise<Result[]>>> =
  {
    search: searchResults,
    "search-model": searchWithModelResults,
    add: addResults,
    "add-offline": (_, corpus) => offlineAddResults(corpus),
    "degraded-recall": (_, corpus) => degradedRecallResults(corpus),
    drain: drainResults,
  };

const chosen = process.argv.slice(2);
const results: Result[] = [];
await using chroma = await startChroma();
for (const [name, run] of Object.entries(SUBJECTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  results.push(...(await run(chroma, new Corpus(SEED))));
}
process.stdout.write(`Seed ${SEED}. `);
report(results);
