// What backups cost on a real Chroma: a backup beside paging everything out by Chroma's own client,
// a restore beside upserting everything by it, an incremental one beside a full one, the file beside
// Chroma's directory, and how memory grows with the number of records.
//   node … backup.bench.ts [records=10000] [records whose memory use is measured=10000,100000]
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CircuitBreaker } from "@holdfast/breaker";
import { ChromaStore } from "@holdfast/chroma";
import { type Backups, breakerOutcome, createBackups, createMemory } from "@holdfast/memory";
import { startChroma } from "@holdfast/testkit";
import { Corpus } from "./memory/corpus.ts";
import {
  type Address,
  KnownVectors,
  NOWHERE,
  ownMetadata,
  rawClient,
  rawCollection,
  rawUpsert,
} from "./memory/workspace.ts";
import { report, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const [records = "10000", sizes = "10000,100000"] = process.argv.slice(2);
const COUNT = Number(records);
const ROUNDS = 3;
const PAGE = 1_000;
const GOAL = 0.9;

const folder = mkdtempSync(join(tmpdir(), "holdfast-backup-bench-"));
const known = new KnownVectors();
const texts = new Corpus(20_240).sentences(COUNT);
await known.learn(texts);

function open(address: Address, name: string): { backups: Backups; close: () => Promise<void> } {
  const breaker = new CircuitBreaker({ name: "chroma", classify: breakerOutcome });
  const store = new ChromaStore({ mode: "server", ...address });
  const settings = { stateDirectory: join(folder, name) };
  const backups = createBackups(settings, { store, embedder: known, breaker });
  return {
    backups,
    close: async () => {
      await backups.close();
      await store.close();
      breaker.close();
    },
  };
}

async function fill(address: Address, name: string): Promise<void> {
  const breaker = new CircuitBreaker({ name: "chroma", classify: breakerOutcome });
  const store = new ChromaStore({ mode: "server", ...address });
  const settings = { stateDirectory: join(folder, name), background: false };
  await using memory = createMemory(settings, { store, embedder: known, breaker });
  for (let from = 0; from < COUNT; from += PAGE) {
    const some = texts.slice(from, from + PAGE);
    const items = some.map((text, at) => ({
      id: `m${from + at}`,
      text,
      ...ownMetadata(from + at),
    }));
    await memory.addMany(items, { waitMs: 0 });
    await memory.drain();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function rawExport(address: Address): Promise<number> {
  const collection = await rawClient(address).getCollection({ name: "memories" });
  return timed(async () => {
    for (let offset = 0; offset < COUNT; offset += PAGE) {
      const include = ["embeddings", "documents", "metadatas"] as const;
      await collection.get({ limit: PAGE, offset, include: [...include] });
    }
  });
}

async function rawImport(address: Address, round: number): Promise<number> {
  const collection = await rawCollection(rawClient(address), `raw-${round}`);
  return timed(() => rawUpsert(collection, texts, known));
}

const bytesIn = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

async function speed(): Promise<Result[]> {
  await using chroma = await startChroma();
  await fill(chroma, "source");
  const directoryBytes = bytesIn(chroma.dataDirectory);
  const { backups, close } = open(chroma, "source");
  const ratios = { backup: [] as number[], restore: [] as number[], incremental: [] as number[] };
  const absolute = { backup: [] as number[], restore: [] as number[] };
  let bytes = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const path = join(folder, `full-${round}.yaml`);
    const full = await timed(async () => {
      ({ bytes } = await backups.backup({ output: path }));
    });
    const exported = await rawExport(chroma);
    changeOnePercent(round);
    const output = join(folder, `increment-${round}.yaml`);
    const increment = await timed(() => backups.backup({ output, incremental: true }));
    await using target = await startChroma();
    const there = open(target, `target-${round}`);
    const restored = await timed(async () => there.backups.restore(await there.backups.plan(path)));
    const imported = await rawImport(target, round);
    await there.close();
    // The first round warms up.
    if (round === 0) continue;
    ratios.backup.push(exported / full);
    ratios.restore.push(imported / restored);
    ratios.incremental.push(increment / full);
    absolute.backup.push((COUNT / full) * 1_000);
    absolute.restore.push((COUNT / restored) * 1_000);
  }
  await close();
  const rate = (values: number[]): string => `${Math.round(median(values))} records/s`;
  return [
    {
      subject: `backup of ${COUNT}, read back, throughput against a raw paged get`,
      value: median(ratios.backup),
      unit: "×",
      goal: { atLeast: GOAL },
      detail: rate(absolute.backup),
    },
    {
      subject: "restore, verified and compared, throughput against raw batched upsert",
      value: median(ratios.restore),
      unit: "×",
      goal: { atLeast: GOAL },
      detail: rate(absolute.restore),
    },
    {
      subject: "incremental after 1 % changed, time against a full one",
      value: median(ratios.incremental),
      unit: "share",
      goal: { atMost: 0.05 },
    },
    {
      subject: "size against Chroma's directory",
      value: bytes / directoryBytes,
      unit: "share",
      detail: `${Math.round(bytes / COUNT)} bytes a record`,
    },
  ];
}

/** As updates would: their vectors are the only part that a benchmark need not make anew. */
function changeOnePercent(round: number): void {
  using db = new DatabaseSync(join(folder, "source", "memory.db"));
  db.prepare("UPDATE memory SET revision = revision WHERE memory % 100 = ?").run(round);
}

/** The most that the process took while it backed up `count` memories, beyond what it had. */
async function growth(count: number): Promise<Result> {
  const name = `rss-${count}`;
  const breaker = new CircuitBreaker({ name: "chroma", enabled: false });
  const store = new ChromaStore({ mode: "server", ...NOWHERE });
  const settings = { stateDirectory: join(folder, name), background: false };
  const outbox = { recordsMax: 10_000_000, bytesMax: 2 ** 40 };
  const memory = createMemory({ ...settings, outbox }, { store, embedder: known, breaker });
  for (let from = 0; from < count; from += PAGE) {
    const items = Array.from({ length: Math.min(PAGE, count - from) }, (_, at) => ({
      id: `m${from + at}`,
      text: texts[(from + at) % texts.length] as string,
    }));
    await memory.addMany(items, { waitMs: 0 });
  }
  await memory.close();
  using db = new DatabaseSync(join(folder, name, "memory.db"));
  db.exec("INSERT INTO vector SELECT memory, randomblob(1536) FROM memory");
  const { backups, close } = open(NOWHERE, name);
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  await backups.backup({ output: join(folder, `${name}.yaml`) });
  clearInterval(watch);
  await close();
  const subject = `memory taken while ${count} are backed up`;
  return { subject, value: (most - before) / 2 ** 20, unit: "MiB" };
}

try {
  const results = await speed();
  for (const size of sizes.split(",").filter(Boolean)) results.push(await growth(Number(size)));
  report(results);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
