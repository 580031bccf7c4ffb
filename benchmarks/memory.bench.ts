// What the memory service costs, on a real Chroma: reading and writing through it against Chroma's
// own client, and what it does while Chroma is down. Prints a table and ends with 0 whatever it
// shows: benchmarks are no tests. Names of subjects as arguments run only those.
import { cpus } from "node:os";
import { startChroma } from "@holdfast/testkit";
import { addResults, offlineAddResults } from "./memory/add.ts";
import { Corpus } from "./memory/corpus.ts";
import { degradedRecallResults } from "./memory/degraded-recall.ts";
import { drainResults } from "./memory/drain.ts";
import { searchResults, searchWithModelResults } from "./memory/search.ts";
import { type Result, verdict } from "./memory/statistics.ts";
import type { Address } from "./memory/workspace.ts";

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
process.stdout.write(`Node ${process.version}, ${cpus().length} cores, seed ${SEED}\n\n`);
process.stdout.write("| Subject | Result | Goal | | Ours / theirs |\n|---|---|---|---|---|\n");
await using chroma = await startChroma();
for (const [name, run] of Object.entries(SUBJECTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  for (const result of await run(chroma, new Corpus(SEED))) {
    process.stdout.write(`${row(result)}\n`);
  }
}

function row(result: Result): string {
  const { subject, value, unit, goal, detail } = result;
  const said = unit === "share" ? `${(value * 100).toFixed(1)} %` : `${value.toFixed(2)} ${unit}`;
  const wanted =
    goal === undefined ? "" : "atMost" in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
  return `| ${subject} | ${said} | ${wanted} | ${verdict(result)} | ${detail} |`;
}
