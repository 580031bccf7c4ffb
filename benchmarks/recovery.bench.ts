// What recovery costs on a real Chroma, in one run: salvaging a torn index, being served again after
// kill -9 beside Chroma's own cold start, rebuilding from the mirror beside upserting the same
// facts by Chroma's own client, and what the health probe takes of a server's time.
//   node … recovery.bench.ts [records of the salvage=30000] [records of the rebuild=5000]
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import {
  ChromaStore,
  inspectDataDirectory,
  managedEndpoint,
  ManagedServer,
  probeChecks,
  replaceDirectory,
  type RunningServer,
  salvageIndexes,
} from "@holdfast/chroma";
import { seededRandom } from "@holdfast/core";
import { breakerOutcome, createMemory, type Embedder, type Memory } from "@holdfast/memory";
import type { VectorRecord } from "@holdfast/store";
import { Corpus } from "./memory/corpus.ts";
import {
  KnownVectors,
  ownMetadata,
  rawClient,
  rawCollection,
  rawUpsert,
} from "./memory/workspace.ts";
import { report, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const [salvaged = "30000", rebuilt = "5000"] = process.argv.slice(2);
const DIMENSION = 384;
const BATCH = 1_000;
const STARTS = 3;
const REBUILDS = 5;
const PROBES = 20;
const INTERVAL_MS = 30_000;

const scratch = mkdtempSync(join(tmpdir(), "holdfast-recovery-bench-"));
const identity = { provider: "bench", model: "random", dimension: DIMENSION };
const random = seededRandom(7);
const results: Result[] = [];

try {
  await salvage(Number(salvaged));
  await startsAndProbes();
  await rebuild(Number(rebuilt));
  report(results);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function salvage(count: number): Promise<void> {
  const { server, store, dataDirectory } = await open("salvage");
  await fill(store, "others", count);
  await server.stop();
  tear(dataDirectory);
  let ours = 0;
  const [, ms] = await timed(async () => {
    const began = performance.now();
    const segments = inspectDataDirectory(dataDirectory).findings.flatMap((finding) =>
      finding.kind === "torn-index" ? [finding.segment] : [],
    );
    await replaceDirectory(dataDirectory, { reason: "bench" }, (copy, original) =>
      salvageIndexes(copy, original, segments),
    );
    ours = performance.now() - began;
    await server.start();
    const collection = await store.openCollection("others");
    const found = await collection.count({ timeoutMs: 600_000 });
    if (found !== count) throw new Error(`${found} of ${count} came back`);
  });
  results.push({
    subject: `salvage of ${count} records, until counted`,
    value: ms / 1_000,
    unit: "s",
    goal: { atMost: 10 },
    detail: `of which Chroma builds the index for ${seconds(ms - ours)}`,
  });
  await store.close();
  await server.stop();
}

async function startsAndProbes(): Promise<void> {
  const { server, store } = await open("starts");
  await fill(store, "memories", 2_000);
  const cold: number[] = [];
  const killed: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    await server.halt();
    cold.push((await timed(() => served(server, store)))[1]);
    process.kill(server.running?.pid ?? 0, "SIGKILL");
    const began = performance.now();
    while (server.running !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    await served(server, store);
    killed.push(performance.now() - began);
  }
  results.push({
    subject: "kill -9 until served / a cold start",
    value: median(killed) / median(cold),
    unit: "×",
    goal: { atMost: 1.5 },
    detail: `${seconds(median(killed))} / ${seconds(median(cold))}`,
  });
  const checks = probeChecks(store, { collection: "memories", timeoutMs: 60_000 });
  const signal = new AbortController().signal;
  const [, ms] = await timed(async () => {
    for (let n = 0; n < PROBES; n += 1) {
      for (const check of checks) await check.run({ signal });
    }
  });
  results.push({
    subject: "a health probe, of a server's time at one in 30 s",
    value: ms / PROBES / INTERVAL_MS,
    unit: "share",
    goal: { atMost: 0.01 },
    detail: `${(ms / PROBES).toFixed(0)} ms`,
  });
  await store.close();
  await server.stop();
}

async function rebuild(count: number): Promise<void> {
  const { server, store, dataDirectory } = await open("rebuild");
  const texts = new Corpus(20_240).sentences(count);
  const known = new KnownVectors();
  await known.learn(texts);
  const memory = openMemory(store, dataDirectory, known);
  for (let from = 0; from < count; from += BATCH) {
    const some = texts.slice(from, from + BATCH);
    const items = some.map((text, at) => ({ text, ...ownMetadata(from + at) }));
    await memory.addMany(items, { waitMs: 0 });
  }
  await memory.drain();
  const client = rawClient(server.running as RunningServer);
  const raw: number[] = [];
  const ours: number[] = [];
  const sides = [
    async (round: number) => {
      const collection = await rawCollection(client, `raw-${round}`);
      raw.push((await timed(() => rawUpsert(collection, texts, known)))[1]);
    },
    async () => {
      ours.push((await timed(() => memory.rebuild()))[1]);
    },
  ];
  for (let round = 0; round <= REBUILDS; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side(round);
  }
  // The first round warms up.
  const ratios = raw.map((ms, round) => ms / (ours[round] as number)).slice(1);
  results.push({
    subject: `rebuild of ${count}, compared, throughput against raw batched upsert`,
    value: median(ratios),
    unit: "×",
    goal: { atLeast: 0.9 },
    detail: `${seconds(median(ours.slice(1)))} / ${seconds(median(raw.slice(1)))}`,
  });
  await memory.close();
  await store.close();
  await server.stop();
}

async function open(
  name: string,
): Promise<{ server: ManagedServer; store: ChromaStore; dataDirectory: string }> {
  const dataDirectory = join(scratch, name);
  const server = new ManagedServer({ dataDirectory });
  await server.start();
  const store = new ChromaStore({ mode: "managed", endpoint: managedEndpoint(dataDirectory) });
  return { server, store, dataDirectory };
}

function openMemory(store: ChromaStore, dataDirectory: string, embedder: Embedder): Memory {
  return createMemory(
    { stateDirectory: `${dataDirectory}.state`, background: false },
    {
      store,
      breaker: new CircuitBreaker({ name: "bench", classify: breakerOutcome }),
      embedder,
    },
  );
}

async function fill(store: ChromaStore, name: string, count: number): Promise<void> {
  const records = someRecords(count);
  const collection = await store.createCollection({ name, embedder: identity });
  for (let from = 0; from < count; from += BATCH) {
    await collection.upsert(records.slice(from, from + BATCH), { timeoutMs: 600_000 });
  }
}

async function served(server: ManagedServer, store: ChromaStore): Promise<void> {
  await server.start();
  const collection = await store.openCollection("memories");
  await collection.count({ timeoutMs: 60_000 });
}

function tear(dataDirectory: string): void {
  for (const file of globSync(join(dataDirectory, "*", "header.bin"))) {
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(bytes.readUInt32LE(20) + 30, 20);
    writeFileSync(file, bytes);
  }
}

function someRecords(count: number): (VectorRecord & { document: string })[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `record-${index}`,
    document: `text ${index}`,
    metadata: { index },
    embedding: vector(),
  }));
}

function vector(): Float32Array {
  return new Float32Array(DIMENSION).map(() => random.next() - 0.5);
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  const result = await work();
  return [result, performance.now() - began];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
