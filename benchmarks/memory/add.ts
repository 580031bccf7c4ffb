import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { Corpus } from "./corpus.ts";
import type { Result } from "../results.ts";
import { figuresAt, interleaved, quantile, ratioAt } from "../statistics.ts";
import {
  type Address,
  KnownVectors,
  NOWHERE,
  openWorkspace,
  ownMetadata,
  rawClient,
  rawCollection,
  rawMetadata,
} from "./workspace.ts";

const ROUNDS = 7;
const ADDS = 100;
const STORED_GOAL = 1.1;
const OFFLINE_ADDS = 1_500;
const OFFLINE_GOAL_MS = 5;

/** `memory.add`, waited for until it is stored, against `collection.add` with the same vector. */
export async function addResults(address: Address, corpus: Corpus): Promise<Result[]> {
  const texts = corpus.sentences((ROUNDS + 1) * ADDS);
  const known = new KnownVectors();
  await known.learn(texts);
  await using workspace = openWorkspace(address, known, { collection: "add-guarded" });
  const raw = await rawCollection(rawClient(address), "add-raw");
  const times = await interleaved(
    ROUNDS,
    ADDS,
    async (call) => {
      const receipt = await workspace.memory.add(texts[call] as string, ownMetadata(call));
      if (receipt.durability !== "stored") throw new Error(receipt.reason);
    },
    async (call) => {
      const text = texts[call] as string;
      await raw.add({
        ids: [randomUUID()],
        embeddings: [Array.from(known.of(text))],
        documents: [text],
        metadatas: [rawMetadata(call)],
      });
    },
  );
  return [
    {
      subject: "add until stored, p50, against raw add",
      value: ratioAt(times, 0.5),
      unit: "×",
      goal: { atMost: STORED_GOAL },
      detail: figuresAt(times, 0.5),
    },
    {
      subject: "add until stored, p99, against raw add",
      value: ratioAt(times, 0.99),
      unit: "×",
      detail: figuresAt(times, 0.99),
    },
  ];
}

/**
 * How long an add takes to be acknowledged when nothing listens where Chroma should be; beside it,
 * what the disk needs to make one page safe.
 */
export async function offlineAddResults(corpus: Corpus): Promise<Result[]> {
  const texts = corpus.sentences(OFFLINE_ADDS);
  const known = new KnownVectors();
  await known.learn(texts);
  await using workspace = openWorkspace(NOWHERE, known);
  const warm = Math.floor(OFFLINE_ADDS / 10);
  const times: number[] = [];
  const disk: number[] = [];
  const page = Buffer.alloc(4_096);
  const beside = openSync(`${workspace.file}.fsync`, "w");
  for (const [call, text] of texts.entries()) {
    const started = performance.now();
    const receipt = await workspace.memory.add(text, { waitMs: 0, ...ownMetadata(call) });
    const took = performance.now() - started;
    if (receipt.durability !== "queued") throw new Error(`unexpectedly ${receipt.durability}`);
    const written = performance.now();
    writeSync(beside, page);
    fsyncSync(beside);
    if (call < warm) continue;
    times.push(took);
    disk.push(performance.now() - written);
  }
  closeSync(beside);
  return [
    {
      subject: "add acknowledged with Chroma down, p99",
      value: quantile(times, 0.99),
      unit: "ms",
      goal: { atMost: OFFLINE_GOAL_MS },
      detail: `p50 ${quantile(times, 0.5).toFixed(2)} ms; a page and fsync: p50 ${quantile(disk, 0.5).toFixed(2)}, p99 ${quantile(disk, 0.99).toFixed(2)} ms`,
    },
  ];
}
